import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { answerKeys, offerKeys } from '../../src/media/ng-keys.ts';
import {
  acceptedPair,
  type Command,
  confirmed,
  createExchange,
  type Exchange,
  type ExchangeEvent,
  reconnected,
  stepExchange,
} from '../../src/media/offer-answer.ts';

/**
 * A message in a few words: sender, what it is, the callee's tag, its SDP. `caller INVITE - o1` is the first INVITE with
 * the offer o1; `callee 183 INVITE b1 a1` an answer; `rel` marks a reliable provisional response.
 */
function message(text: string): ExchangeEvent {
  const [from, ...rest] = text.split(' ');
  const reliable = rest[0] === 'rel';
  if (reliable) rest.shift();
  const status = /^\d+$/.test(rest[0] ?? '') ? Number(rest.shift()) : undefined;
  const [method = '', tag, sdp] = rest;
  const common = {
    from: from === 'caller' ? 'caller' : 'callee',
    method,
    tag: tag === '-' ? undefined : tag,
    sdp,
  } as const;
  return status === undefined ? { on: 'request', ...common } : { on: 'response', status, reliable, ...common };
}

const bodies = { replace: '', add: ' added', keep: ' unseen' } as const;

/** What is done, in as few words. */
function words(command: Command): string {
  switch (command.do) {
    case 'offer':
      return `offer ${command.offerer} ${command.offer}`;
    case 'answer':
    case 'preview-answer': {
      const extras = `${command.renew ? ' renewed' : ''}${bodies[command.body]}`;
      return `${command.do} ${command.offerer} ${command.offer} ${command.answer}${extras}`;
    }
    case 'restore':
      return `restore ${command.offerer} ${command.offer} ${command.answer}`;
    case 'refused':
      return `refused ${command.status}`;
    default:
      return command.do;
  }
}

type Step = readonly [message: string, command: string];

/** A call that is up: the caller offered o1, the callee b answered a1. */
const established: readonly Step[] = steps(`
  caller INVITE - o1 -> offer caller o1
  callee 200 INVITE b a1 -> answer caller o1 a1
  caller ACK b -> none`);

/** The table: a title, then each message and the command that it needs; `established` is the call above. */
const cases = readFileSync(new URL('offer-answer.txt', import.meta.url), 'utf8');

function steps(lines: string): readonly Step[] {
  const written = lines.split('\n').filter((line) => line.trim() !== '');
  return written.flatMap((line) => {
    const [text = '', command = ''] = line.trim().split(' -> ');
    return text === 'established' ? established : [[text, command] as const];
  });
}

describe('which ng command a message needs', () => {
  for (const [title = '', lines = ''] of cases.trim().split('\n\n').map(split)) {
    it(title, () => {
      let exchange = createExchange();
      const expected = steps(lines);
      const done = expected.map(([text]): Step => {
        const [next, command] = stepExchange(exchange, message(text));
        exchange = next;
        return [text, words(command)];
      });
      assert.ok(expected.length > 0);
      assert.deepEqual(done, expected);
    });
  }

  it('keeps the last accepted offer and answer of each dialog', () => {
    const exchange = run(['caller INVITE - o1', 'callee 200 INVITE b a1', 'caller INVITE b o2', 'callee 488 INVITE b']);
    const { offer, answer } = acceptedPair(exchange, 'b') ?? {};
    assert.deepEqual([offer, answer], ['o1', 'a1']);
    assert.equal(acceptedPair(exchange, 'nobody'), undefined);
  });

  it('after the 2xx the other early dialogs are forgotten', () => {
    const forked = run(['caller INVITE - o1', 'callee 183 INVITE b1 a1', 'callee 200 INVITE b2 a2']);
    assert.deepEqual([...confirmed(forked, new Set(['b2'])).dialogs.keys()], ['b2']);
  });

  it('RFC 6026 §7.3: a 2xx with another To tag answers the offer of the INVITE also after that', () => {
    const forked = run(['caller INVITE - o1', 'callee 200 INVITE b1 a1']);
    const [, command] = stepExchange(confirmed(forked, new Set(['b1'])), message('callee 200 INVITE b2 a2'));
    assert.equal(words(command), 'answer caller o1 a2 renewed');
  });

  it('who was displaced by another callee has back what was accepted, and the answer to an offer in progress brings that anew', () => {
    const answered = run([
      'caller INVITE - o1',
      'callee 200 INVITE b1 a1',
      'callee 200 INVITE b2 a2',
      'caller INVITE b1 o2',
    ]);
    const [exchange, command] = reconnected(answered, 'b1');
    assert.equal(words(command), 'restore caller o1 a1');
    assert.equal(words(stepExchange(exchange, message('callee 200 INVITE b1 a3'))[1]), 'answer caller o2 a3 renewed');
    assert.equal(words(reconnected(answered, 'nobody')[1]), 'none');
  });

  it('after a restart, with nothing remembered, a re-INVITE from either side works', () => {
    for (const from of ['caller', 'callee']) {
      const [, command] = stepExchange(createExchange(), message(`${from} INVITE b o2`));
      assert.equal(words(command), `offer ${from} o2`);
    }
  });

  it('holds no more than 32 To tags of one call', () => {
    let exchange = run(['caller INVITE - o1']);
    for (let count = 0; count < 100; count += 1) {
      exchange = stepExchange(exchange, message(`callee 183 INVITE b${count} a${count}`))[0];
    }
    assert.equal(exchange.dialogs.size, 32);
    assert.equal(words(stepExchange(exchange, message('callee 200 INVITE b99 a99'))[1]), 'refused 500');
    assert.equal(words(stepExchange(exchange, message('callee 200 INVITE b1 a1'))[1]), 'answer caller o1 a1 renewed');
  });

  it('answers nothing that was not offered, and lets no SDP of INVITE, UPDATE, PRACK or ACK through, in any order', () => {
    fc.assert(fc.property(fc.array(anyMessage, { maxLength: 25 }), isSound), { numRuns: 3000 });
  });
});

describe('by which keys rtpengine finds the two sides', () => {
  const tags = { callId: 'c1', caller: 'alice', callee: 'bob', viaBranch: 'vd/z9' };
  const found = (steps: readonly string[]): object[] => {
    let exchange = createExchange();
    return steps.flatMap((text) => {
      const [next, command] = stepExchange(exchange, message(text));
      exchange = next;
      if (command.do === 'offer') return [offerKeys(command, tags)];
      if (command.do === 'restore') return [offerKeys(command, tags), answerKeys(command, tags)];
      return command.do === 'answer' ? [answerKeys(command, tags)] : [];
    });
  };
  const both = { 'call-id': 'c1', 'from-tag': 'alice', 'to-tag': 'bob' };
  const turned = { 'call-id': 'c1', 'from-tag': 'bob', 'to-tag': 'alice' };

  it('the first INVITE: offer by via-branch and without to-tag, answer by both', () => {
    assert.deepEqual(found(['caller INVITE - o1', 'callee 200 INVITE b a1']), [
      { 'call-id': 'c1', 'from-tag': 'alice', 'via-branch': 'vd/z9' },
      { ...both, 'via-branch': 'vd/z9' },
    ]);
  });

  it('a late offer: from-tag is the offering callee', () => {
    assert.deepEqual(found(['caller INVITE -', 'callee 200 INVITE b o1', 'caller ACK b a1']), [
      { ...turned, 'via-branch': 'vd/z9' },
      { ...turned, 'via-branch': 'vd/z9' },
    ]);
  });

  it('in the call: by the tags alone, the offerer first, for a restored pair too', () => {
    const first = ['caller INVITE - o1', 'callee 200 INVITE b a1'];
    const skip = 2;
    assert.deepEqual(found([...first, 'callee INVITE b o2', 'caller 200 INVITE b a2']).slice(skip), [turned, turned]);
    assert.deepEqual(found([...first, 'callee INVITE b o2', 'caller 488 INVITE b']).slice(skip), [turned, both, both]);
  });
});

/** Title and lines of a case. */
function split(text: string): readonly string[] {
  const end = text.indexOf('\n');
  return [text.slice(0, end), text.slice(end)];
}

function run(steps: readonly string[]): Exchange {
  return steps.reduce((exchange, text) => stepExchange(exchange, message(text))[0], createExchange());
}

const anyMessage = fc
  .tuple(
    fc.constantFrom('caller', 'callee'),
    fc.constantFrom('', '', 'rel 183 ', '183 ', '200 ', '200 ', '488 '),
    fc.constantFrom('INVITE', 'INVITE', 'INVITE', 'UPDATE', 'PRACK', 'ACK'),
    fc.constantFrom('b1', 'b1', 'b2'),
    fc.constantFrom('', ' s1', ' s2', ' s3'),
  )
  .filter(([, status, method]) => method !== 'ACK' || status === '')
  .map((parts) => message(`${parts[0]} ${parts[1]}${parts[2]} ${parts[3]}${parts[4]}`));

function isSound(events: readonly ExchangeEvent[]): boolean {
  let exchange = run(['caller INVITE - o1']);
  const offered = new Set(['caller o1']);
  return events.every((event) => {
    const [next, command] = stepExchange(exchange, event);
    exchange = next;
    if (command.do === 'offer') offered.add(`${command.offerer} ${command.offer}`);
    const failure = event.on === 'response' && event.status >= 300;
    if (command.do === 'none') return event.sdp === undefined || failure;
    if (command.do === 'answer' || command.do === 'preview-answer')
      return offered.has(`${command.offerer} ${command.offer}`);
    return true;
  });
}
