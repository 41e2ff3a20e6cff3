import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createGroupedReader } from '../../../src/adapters/postgres/reader.ts';
import { createGroupedWriter, type GroupedWriterOptions } from '../../../src/adapters/postgres/writer.ts';
import { Failure } from '../../../src/errors.ts';
import { createClock, settle } from '../../support/clock.ts';

interface Item {
  readonly key: string;
  readonly value: number;
}

/** A database whose answers the test gives. */
function fakeDatabase() {
  const groups: {
    readonly items: readonly Item[];
    answer(results?: readonly number[]): void;
    fail(error: Error): void;
  }[] = [];
  const write = (items: readonly Item[]) =>
    new Promise<readonly number[]>((resolve, reject) => {
      groups.push({
        items,
        answer: (results = items.map((item) => item.value * 10)) => resolve(results),
        fail: reject,
      });
    });
  const group = (index: number) => {
    const found = groups[index];
    assert.ok(found, `no group ${index} was written`);
    return found;
  };
  return {
    write,
    group,
    count: () => groups.length,
    keys: (index: number) => group(index).items.map((item) => item.key),
  };
}

function setUp(options: Partial<GroupedWriterOptions<Item, number>> = {}) {
  const time = createClock();
  const database = fakeDatabase();
  const writer = createGroupedWriter<Item, number>({
    groupMs: 5,
    maxGroup: 100,
    maxWaiting: 1000,
    after: time.after,
    key: (item) => item.key,
    write: database.write,
    ...options,
  });
  return { time, database, writer, add: (key: string, value = 0) => writer.add({ key, value }) };
}

const failedWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test('grouped writer: what is asked within groupMs leaves as one group, sorted by key', async () => {
  const { time, database, add } = setUp();
  const c = add('c', 3);
  await time.advance(2);
  const a = add('a', 1);
  await time.advance(2);
  const b = add('b', 2);
  assert.equal(database.count(), 0);
  await time.advance(1);
  assert.deepEqual(database.keys(0), ['a', 'b', 'c']);
  database.group(0).answer();
  assert.deepEqual(await Promise.all([a, b, c]), [10, 20, 30]);
});

test('grouped writer: a patient entry leaves with the next group, or by itself when its patience ends', async () => {
  const { time, database, writer, add } = setUp();
  void writer.add({ key: 'patient', value: 1 }, 100);
  await time.advance(50);
  assert.equal(database.count(), 0);
  void add('b');
  await time.advance(5);
  assert.deepEqual(database.keys(0), ['b', 'patient']);
  void writer.add({ key: 'alone', value: 1 }, 100);
  void writer.add({ key: 'alone too', value: 1 }, 100);
  await time.advance(99);
  assert.equal(database.count(), 1);
  await time.advance(1);
  assert.deepEqual(database.keys(1), ['alone', 'alone too']);
});

test('grouped writer: while company comes an entry waits longer for it; one that was alone does not', async () => {
  const { time, database, add } = setUp({ companyMs: 20 });
  const sizes = () => Array.from({ length: database.count() }, (_, index) => database.keys(index).length);
  /** So many, each 4 ms behind the one before; then nobody for `restMs`. */
  const come = async (names: readonly string[], restMs: number): Promise<void> => {
    for (const name of names) {
      void add(name);
      await time.advance(4);
    }
    await time.advance(restMs);
    database.group(database.count() - 1).answer();
    await settle();
  };
  await come(['a'], 1);
  await come(['b', 'c'], 0);
  assert.deepEqual(sizes(), [1, 2], 'the first waits 5 ms only');
  await come(['d', 'e', 'f', 'g', 'h'], 0);
  assert.deepEqual(sizes(), [1, 2, 5]);
  await come(['i'], 15);
  assert.equal(database.count(), 3, 'it still hopes for company');
  await time.advance(1);
  assert.deepEqual(sizes(), [1, 2, 5, 1]);
  database.group(3).answer();
  await settle();
  await come(['j'], 1);
  assert.deepEqual(sizes(), [1, 2, 5, 1, 1], 'nobody came, so nobody is waited for');
});

test('grouped writer: with company enough a group leaves before its time', async () => {
  const { time, database, add } = setUp({ companyMs: 20 });
  for (const key of ['a', 'b']) void add(key);
  await time.advance(5);
  database.group(0).answer();
  await settle();
  for (let number = 0; number < 32; number += 1) void add(`c${number}`);
  assert.equal(database.count(), 2);
  assert.equal(database.keys(1).length, 32);
});

test('grouped writer: an entry resolves only when its group is committed', async () => {
  const { time, database, add } = setUp();
  let resolved = false;
  const entry = add('a').then(() => {
    resolved = true;
  });
  await time.advance(5);
  await settle();
  assert.equal(resolved, false);
  database.group(0).answer();
  await entry;
  assert.equal(resolved, true);
});

test('grouped writer: a second change of a key waits until the group of the first has ended', async () => {
  const { time, database, add } = setUp();
  const first = add('a', 1);
  const second = add('a', 2);
  const other = add('b', 3);
  await time.advance(5);
  assert.deepEqual(database.keys(0), ['a', 'b']);
  assert.equal(database.count(), 1);
  database.group(0).answer();
  assert.deepEqual(await Promise.all([first, other]), [10, 30]);
  await settle();
  assert.deepEqual(database.keys(1), ['a']);
  database.group(1).answer();
  assert.equal(await second, 20);
});

test('grouped writer: other keys need not wait for a group that takes long', async () => {
  const { time, database, add } = setUp();
  const slow = add('a', 1);
  await time.advance(5);
  const quick = add('b', 2);
  await time.advance(5);
  assert.deepEqual(database.keys(1), ['b']);
  database.group(1).answer();
  assert.equal(await quick, 20);
  database.group(0).answer();
  assert.equal(await slow, 10);
});

test('grouped writer: with all groups on their way the rest waits, and leaves when one ends', async () => {
  const { time, database, writer, add } = setUp({ maxInFlight: 1 });
  const first = add('a', 1);
  await time.advance(5);
  const rest = [add('b', 2), add('c', 3)];
  await time.advance(50);
  assert.equal(database.count(), 1);
  assert.equal(writer.waiting(), 2);
  database.group(0).answer();
  await first;
  await settle();
  assert.deepEqual(database.keys(1), ['b', 'c']);
  database.group(1).answer();
  assert.deepEqual(await Promise.all(rest), [20, 30]);
});

test('grouped writer: a full group leaves at once and leaves no timer behind', async () => {
  const { time, database, add } = setUp({ maxGroup: 2 });
  const both = [add('a', 1), add('b', 2)];
  assert.deepEqual(database.keys(0), ['a', 'b']);
  assert.equal(time.pending(), 0);
  database.group(0).answer();
  assert.deepEqual(await Promise.all(both), [10, 20]);
});

test('grouped writer: a group that fails is retried singly, so that a poison row hurts only itself', async () => {
  const written: (readonly string[])[] = [];
  const { time, add } = setUp({
    write: async (items) => {
      written.push(items.map((item) => item.key));
      if (items.some((item) => item.key === 'poison')) throw new Failure('malformed', 'no');
      return items.map((item) => item.value * 10);
    },
  });
  const before = add('a', 1);
  const poison = assert.rejects(add('poison', 2), failedWith('malformed'));
  const behind = add('z', 3);
  await time.advance(5);
  assert.deepEqual(await Promise.all([before, behind]), [10, 30]);
  await poison;
  assert.deepEqual(written, [['a', 'poison', 'z'], ['a'], ['poison'], ['z']]);
});

test('grouped writer: a lost database fails the whole group with an unknown outcome, nothing is tried again', async () => {
  const { time, database, add } = setUp();
  const entries = [add('a'), add('b')].map((entry) => assert.rejects(entry, failedWith('database-down')));
  await time.advance(5);
  database.group(0).fail(new Failure('database-down'));
  await Promise.all(entries);
  assert.equal(database.count(), 1);
});

test('grouped writer: after a failure the next entry of the same key goes its way', async () => {
  const { time, database, add } = setUp();
  const failed = assert.rejects(add('a'), failedWith('database-down'));
  const next = add('a', 2);
  await time.advance(5);
  database.group(0).fail(new Failure('database-down'));
  await failed;
  await settle();
  database.group(1).answer();
  assert.equal(await next, 20);
});

test('grouped writer: a bug in the statement is an internal failure of each entry', async () => {
  const { time, database, add } = setUp();
  const entry = assert.rejects(add('a'), failedWith('internal'));
  await time.advance(5);
  database.group(0).answer([]);
  await entry;
});

test('grouped writer: beyond maxWaiting an entry is refused as overload', async () => {
  const { time, database, add } = setUp({ maxWaiting: 2 });
  const accepted = [add('a'), add('a')];
  await assert.rejects(add('a'), failedWith('overloaded'));
  await time.advance(5);
  database.group(0).answer();
  await accepted[0];
  await settle();
  database.group(1).answer();
  await Promise.all(accepted);
});

test('grouped writer: idle resolves when nothing waits and nothing is on its way', async () => {
  const { time, database, writer, add } = setUp();
  await writer.idle();
  let idle = false;
  const entry = add('a');
  const wait = writer.idle().then(() => {
    idle = true;
  });
  await time.advance(5);
  await settle();
  assert.equal(idle, false);
  database.group(0).answer();
  await Promise.all([entry, wait]);
  assert.equal(idle, true);
});

const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ do: fc.constant('answer' as const), how: fc.constantFrom('well', 'badly', 'down') }),
);

test('grouped writer: in any course of things keys are written in order, once per group, and every entry ends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { time, database, writer, add } = setUp({ maxGroup: 3 });
      const answered = new Set<number>();
      const ends: Promise<string>[] = [];
      const answerAll = (how: string) => {
        for (let index = 0; index < database.count(); index++) {
          if (answered.has(index)) continue;
          answered.add(index);
          const group = database.group(index);
          if (how === 'well') group.answer();
          else group.fail(new Failure(how === 'down' ? 'database-down' : 'malformed'));
        }
      };
      for (const [number, action] of steps.entries()) {
        if (action.do === 'add')
          ends.push(
            add(action.key, number).then(
              () => 'done',
              () => 'failed',
            ),
          );
        if (action.do === 'pass') await time.advance(action.ms);
        if (action.do === 'answer') answerAll(action.how);
        await settle();
      }
      for (let left = true; left; left = writer.waiting() > 0 || answered.size < database.count()) {
        await time.advance(10);
        await settle();
        answerAll('well');
        await settle();
      }
      assert.equal((await Promise.all(ends)).length, ends.length);
      await writer.idle();
      const lastOfKey = new Map<string, number>();
      for (let index = 0; index < database.count(); index++) {
        const keys = database.keys(index);
        assert.deepEqual(keys, [...new Set(keys)].sort());
        for (const { key, value } of database.group(index).items) {
          assert.ok(value >= (lastOfKey.get(key) ?? -1), 'a later change of a key was written before an earlier one');
          lastOfKey.set(key, value);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('grouped reader: the questions of one turn are one statement, equal ones included', async () => {
  const asked: (readonly string[])[] = [];
  const reader = createGroupedReader<string, string>(async (questions) => {
    asked.push(questions);
    return questions.map((question) => question.toUpperCase());
  });
  assert.deepEqual(await Promise.all(['a', 'b', 'a'].map((question) => reader.add(question))), ['A', 'B', 'A']);
  assert.equal(await reader.add('c'), 'C');
  assert.deepEqual(asked, [['a', 'b', 'a'], ['c']]);
});

test('grouped reader: who is patient waits for others as a write does, and leaves with the first who is not', async () => {
  const clock = createClock();
  const statements: (readonly string[])[] = [];
  const read = async (questions: readonly string[]): Promise<readonly string[]> => {
    statements.push(questions);
    return questions;
  };
  const reader = createGroupedReader(read, { groupMs: 5, clock });
  const registers = [reader.addPatiently('a'), reader.addPatiently('b')];
  await settle();
  await clock.advance(4);
  assert.equal(statements.length, 0);
  await clock.advance(1);
  await Promise.all(registers);
  assert.deepEqual(statements, [['a', 'b']]);
  const another = reader.addPatiently('c');
  await clock.advance(1);
  assert.equal(await reader.add('call'), 'call');
  assert.deepEqual([await another, statements.at(-1)?.toSorted()], ['c', ['c', 'call']]);
});
