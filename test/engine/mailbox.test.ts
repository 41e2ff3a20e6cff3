import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Mailbox } from '../../src/engine/mailbox.ts';
import { settle } from '../support/clock.ts';

interface Recorded {
  readonly mailbox: Mailbox;
  readonly story: string[];
  readonly failures: unknown[];
}

function create(): Recorded {
  const failures: unknown[] = [];
  return { mailbox: new Mailbox((thrown) => failures.push(thrown)), story: [], failures };
}

/** A promise that somebody else fulfils. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('law 6: while nothing waits, an event runs at once, in the turn of the one who posts it', () => {
  const { mailbox, story } = create();
  mailbox.post(() => void story.push('event'));
  story.push('after post');
  assert.deepEqual(story, ['event', 'after post']);
});

test('law 6: an event that awaits is run to its end before the next one begins', async () => {
  const { mailbox, story } = create();
  const answer = gate();
  mailbox.post(async () => {
    story.push('180 begins');
    await answer.opened;
    story.push('180 ends');
  });
  mailbox.post(() => void story.push('200'));
  await settle();
  assert.deepEqual(story, ['180 begins']);
  answer.open();
  await settle();
  assert.deepEqual(story, ['180 begins', '180 ends', '200']);
});

test('law 6: an event posted from inside an event waits for the end of that one', async () => {
  const { mailbox, story } = create();
  mailbox.post(() => {
    mailbox.post(() => void story.push('inner'));
    story.push('outer');
  });
  assert.deepEqual(story, ['outer', 'inner']);
  mailbox.post(async () => {
    mailbox.post(() => void story.push('second inner'));
    await settle();
    story.push('second outer');
  });
  await settle();
  await settle();
  assert.deepEqual(story, ['outer', 'inner', 'second outer', 'second inner']);
});

test('an exception ends its own event only, and is reported', async () => {
  const { mailbox, story, failures } = create();
  mailbox.post(() => {
    throw new Error('at once');
  });
  mailbox.post(async () => {
    await settle();
    throw new Error('later');
  });
  mailbox.post(() => void story.push('next'));
  await settle();
  await settle();
  assert.deepEqual(failures.map(String), ['Error: at once', 'Error: later']);
  assert.deepEqual(story, ['next']);
});

test('after waiting it is idle again: the next event runs at once', async () => {
  const { mailbox, story } = create();
  mailbox.post(() => settle());
  await settle();
  await settle();
  mailbox.post(() => void story.push('event'));
  assert.deepEqual(story, ['event']);
});

test('law 6: any mixture of quick, slow and failing events runs in the order of posting, one at a time', async () => {
  const kinds = fc.array(fc.constantFrom('quick', 'slow', 'throws', 'rejects'), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(kinds, async (events) => {
      const { mailbox, failures } = create();
      const order: number[] = [];
      let running = 0;
      const run = async (kind: string, index: number): Promise<void> => {
        assert.equal(++running, 1);
        await settle();
        running--;
        order.push(index);
        if (kind === 'rejects') throw new Error(kind);
      };
      events.forEach((kind, index) => {
        mailbox.post(() => {
          if (kind === 'slow' || kind === 'rejects') return run(kind, index);
          order.push(index);
          if (kind === 'throws') throw new Error(kind);
          return undefined;
        });
      });
      for (let turn = 0; turn <= 2 * events.length; turn++) await settle();
      assert.deepEqual(order, [...events.keys()]);
      assert.equal(failures.length, events.filter((kind) => kind === 'throws' || kind === 'rejects').length);
    }),
    { numRuns: 50 },
  );
});

test('ten thousand quick events need no deep stack', () => {
  const { mailbox } = create();
  let count = 0;
  const next = (): void => {
    count++;
    if (count < 10_000) mailbox.post(next);
  };
  mailbox.post(next);
  assert.equal(count, 10_000);
});

test('law 9: an event for which there is no room is dropped, and says so; one without a limit is always taken', async () => {
  const { mailbox, story } = create();
  const answer = gate();
  mailbox.post(() => answer.opened);
  const taken = ['183', '180', '180'].map((name) => mailbox.post(() => void story.push(name), 2));
  assert.deepEqual(taken, [true, true, false]);
  assert.ok(mailbox.post(() => void story.push('486')));
  answer.open();
  await settle();
  assert.deepEqual(story, ['183', '180', '486']);
});
