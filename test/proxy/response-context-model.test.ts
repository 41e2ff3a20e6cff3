/**
 * The laws of a response context under any order of events (RFC 3261 §16.7, §16.10), those that an engine would never
 * send included. A failing seed is printed by fast-check and replays.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  allEnded,
  branchState,
  type ContextEffect,
  type ContextEvent,
  createResponseContext,
  isFinal,
  type ResponseContext,
  step,
} from '../../src/proxy/response-context.ts';
import { eventOf, inWords } from './story.ts';

const ids = ['a', 'b', 'c', 'd'];
const id = fc.constantFrom(...ids);
const status = fc.constantFrom(100, 180, 183, 200, 202, 302, 401, 404, 408, 486, 487, 500, 503, 600, 603);
const words = fc.oneof(
  { weight: 2, arbitrary: fc.subarray(ids, { minLength: 1 }).map((some) => `branches ${some.join(' ')}`) },
  { weight: 4, arbitrary: id.map((one) => `sent ${one}`) },
  { weight: 10, arbitrary: fc.tuple(id, status).map(([one, code]) => `${one} ${code}`) },
  { weight: 1, arbitrary: id.map((one) => `${one} failed 408 branch-timeout`) },
  { weight: 1, arbitrary: id.map((one) => `${one} failed 503 media-down`) },
  { weight: 1, arbitrary: fc.tuple(id, id).map(([one, other]) => `${one} replaced ${other}`) },
  { weight: 1, arbitrary: fc.tuple(id, id).map(([one, other]) => `${one} overtaken ${other}`) },
  { weight: 1, arbitrary: id.map((one) => `terminated ${one}`) },
  { weight: 1, arbitrary: id.map((one) => `timer-c ${one}`) },
  { weight: 1, arbitrary: id.map((one) => `silent ${one}`) },
  { weight: 1, arbitrary: fc.constantFrom('cancel', 'ring-time-out') },
  { weight: 1, arbitrary: fc.constant('routed') },
);
const story = fc.array(words, { maxLength: 40 });
const runs = { seed: 20_261_121, numRuns: 3000 };

/** What an outsider has seen so far. */
class Watch {
  context: ResponseContext;
  readonly finals: number[] = [];
  readonly ended = new Set<string>();
  readonly cancelled = new Set<string>();
  readonly answered1xx = new Set<string>();
  readonly left = new Set<string>();
  readonly timers = new Set<string>();

  constructor(context: ResponseContext) {
    this.context = context;
  }

  take(event: ContextEvent): void {
    const before = this.context;
    const [next, effects] = step(before, event);
    this.#note(event);
    this.context = next;
    for (const effect of effects) this.#see(effect);
    this.#expectForward(before, event, effects);
    this.#expectTimers();
  }

  #note(event: ContextEvent): void {
    if (event.on === 'sent' && branchState(this.context, event.branch) === 'preparing') this.left.add(event.branch);
    if (event.on !== 'response' || event.response.status >= 200) return;
    const state = branchState(this.context, event.branch);
    if (state === 'calling' || state === 'proceeding') this.answered1xx.add(event.branch);
  }

  #see(effect: ContextEffect): void {
    const said = inWords(effect);
    switch (effect.do) {
      case 'forward':
        if (effect.response.status < 200) {
          assert.ok(effect.response.status > 100 && !this.finals.length, `${said}: only 101-199 before the final`);
          assert.ok(this.context.invite, `${said}: to INVITE only`);
        } else this.#final(effect.response.status);
        assert.notEqual(effect.response.status, 503, 'a 503 from downstream stays here');
        return;
      case 'respond':
        this.#final(effect.status);
        return;
      case 'cancel':
        assert.ok(this.context.invite && this.answered1xx.has(effect.branch), `${said}: not before a 1xx`);
        assert.ok(!this.cancelled.has(effect.branch) && !this.ended.has(effect.branch), `${said}: once, and in time`);
        this.cancelled.add(effect.branch);
        return;
      case 'abandon':
        assert.ok(!this.left.has(effect.branch), `${said}: it has left`);
        return;
      case 'start-timer-c':
        assert.ok(this.context.invite && this.left.has(effect.branch), said);
        this.timers.add(effect.branch);
        return;
      case 'stop-timer-c':
        assert.ok(this.timers.delete(effect.branch), `${said}: it runs`);
        return;
      case 'ended':
        assert.ok(!this.ended.has(effect.branch), `${said}: once`);
        this.ended.add(effect.branch);
    }
  }

  #final(status: number): void {
    const isSuccess = (one: number) => one < 300;
    if (!isSuccess(status)) assert.deepEqual(this.finals, [], `${status} after a final response`);
    else assert.ok(this.finals.every(isSuccess), `${status} after a failure`);
    if (!this.context.invite) assert.deepEqual(this.finals, [], 'one final response to what is no INVITE');
    this.finals.push(status);
  }

  /** Every 2xx to an INVITE goes upstream while its client transaction lives, unless a failure did before. */
  #expectForward(before: ResponseContext, event: ContextEvent, effects: readonly ContextEffect[]): void {
    if (event.on !== 'response' || !before.invite) return;
    if (event.response.status < 200 || event.response.status >= 300) return;
    const alive = ['calling', 'proceeding', 'accepted'].includes(branchState(before, event.branch) ?? '');
    const isRefused = this.finals.some((final) => final >= 300);
    const forwarded = effects.some((effect) => effect.do === 'forward' && effect.response === event.response);
    assert.equal(forwarded, alive && !isRefused, `${event.branch} ${event.response.status}`);
  }

  #expectTimers(): void {
    const waiting = this.context.branches.filter(({ state }) => state === 'calling' || state === 'proceeding');
    assert.deepEqual([...this.timers].sort(), this.context.invite ? waiting.map((branch) => branch.id).sort() : []);
  }
}

/** The end that an engine brings about: the routes are done, every branch gets a final response or its end. */
function bringToEnd(watch: Watch, endings: Readonly<Record<string, string>>): void {
  watch.take(eventOf('routed'));
  for (const { id: branch, state } of watch.context.branches) {
    if (state === 'preparing') watch.take(eventOf(`${branch} failed 503 media-down`));
    if (state === 'calling' || state === 'proceeding') watch.take(eventOf(endings[branch] ?? `${branch} 487`));
  }
  for (const { id: branch } of watch.context.branches) watch.take(eventOf(`terminated ${branch}`));
}

const ending = fc.record(
  Object.fromEntries(
    ids.map((one) => [
      one,
      fc.constantFrom(`${one} 200`, `${one} 486`, `${one} 487`, `${one} failed 408 branch-timeout`),
    ]),
  ),
);

for (const method of ['INVITE', 'MESSAGE']) {
  test(`RFC 3261 §16.7: ${method}: the laws hold for any order of events, and every context ends`, () => {
    fc.assert(
      fc.property(story, ending, (events, endings) => {
        const watch = new Watch(createResponseContext(method));
        for (const event of events) watch.take(eventOf(event));
        bringToEnd(watch, endings);
        assert.ok(allEnded(watch.context) && isFinal(watch.context) && watch.finals.length > 0);
        assert.deepEqual([...watch.ended].sort(), watch.context.branches.map((branch) => branch.id).sort());
        assert.deepEqual([...watch.timers], []);
      }),
      runs,
    );
  });
}

test('RFC 3261 §16.10: a caller who cancels hears a final response, and no branch is left ringing', () => {
  fc.assert(
    fc.property(story, (events) => {
      const watch = new Watch(createResponseContext('INVITE'));
      for (const event of [...events, 'cancel']) watch.take(eventOf(event));
      for (const { id: branch, state, cancelling } of watch.context.branches) {
        assert.notEqual(state, 'preparing');
        if (state === 'proceeding') assert.ok(watch.cancelled.has(branch));
        if (state === 'calling') assert.ok(cancelling !== undefined, `${branch} is held until its first 1xx`);
      }
      bringToEnd(watch, {});
      assert.ok(allEnded(watch.context) && watch.finals.length > 0);
    }),
    runs,
  );
});

test('RFC 3261 §16.7: a step changes nothing of the value it began with', () => {
  fc.assert(
    fc.property(story, (events) => {
      let context = createResponseContext('INVITE');
      for (const event of events) {
        const before = JSON.stringify(context);
        const [next] = step(context, eventOf(event));
        assert.equal(JSON.stringify(context), before);
        context = next;
      }
    }),
    { ...runs, numRuns: 300 },
  );
});
