/** Law 9: however many calls there are and however long they talk, what is kept of them has a bound. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Archive } from '../../src/story/archive.ts';
import type { MessageEvent } from '../../src/story/events.ts';
import { Story } from '../../src/story/story.ts';

const message = (bytes: number, atMs = 0): MessageEvent => ({
  kind: 'message',
  atMs,
  direction: 'in',
  transport: 'udp',
  remote: { address: '192.0.2.1', port: 5060 },
  text: 'x'.repeat(bytes),
});

const story = (name: string, atMs = 0): Story =>
  new Story({ id: `id-${name}`, callId: name, from: 'sip:a@b', to: 'sip:c@d', atMs }, { events: 50, bytes: 20_000 });

function begun(archive: Archive, name: string, atMs = 0): Story {
  const one = story(name, atMs);
  archive.put(one);
  archive.change(one, () => one.began('key'), atMs);
  return one;
}

const grow = (archive: Archive, one: Story, bytes: number): void =>
  archive.change(one, () => one.add(message(bytes)), 0);
const end = (archive: Archive, one: Story, nowMs: number): void =>
  archive.change(one, () => one.finished('key', 486, nowMs), nowMs);

describe('the story of one call', () => {
  test('keeps its beginning and its end when it becomes too long, and counts what it left out', () => {
    const one = story('long');
    for (let index = 0; index < 500; index++) one.add(message(index % 7, index));
    assert.equal(one.events.length, 50);
    assert.equal(one.dropped, 450);
    assert.deepEqual([one.events[0]?.atMs, one.events.at(-1)?.atMs], [0, 499]);
  });

  test('stays within its bytes, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 15_000 })), (sizes) => {
        const one = story('any');
        for (const size of sizes) one.add(message(size));
        assert.ok(one.events.length <= 2 || one.bytes <= 20_000, `${one.bytes} bytes`);
      }),
    );
  });

  test('is no failure when its caller gave up, nor while he is asked for a password', () => {
    const outcomes = [
      { status: 486, cancelled: false, state: 'failed' },
      { status: 487, cancelled: true, state: 'ended' },
      { status: 407, cancelled: false, state: 'ended' },
      { status: 302, cancelled: false, state: 'ended' },
      { status: 200, cancelled: false, state: 'ended' },
    ];
    for (const { status, cancelled, state } of outcomes) {
      const one = story('any');
      one.began('key');
      assert.equal(one.state, 'ringing');
      one.cancelled = cancelled;
      one.finished('key', status, 1);
      assert.equal(one.state, state, String(status));
    }
  });
});

describe('the stories of all calls', () => {
  test('beyond the bytes the call that ended longest ago goes, and none in progress', () => {
    const archive = new Archive({ bytes: 30_000 });
    const [first, second, live] = ['first', 'second', 'live'].map((name) => begun(archive, name));
    assert.ok(first !== undefined && second !== undefined && live !== undefined);
    for (const one of [first, second, live]) grow(archive, one, 9_000);
    end(archive, second, 1);
    end(archive, first, 2);
    grow(archive, live, 9_000);
    assert.equal(archive.byId('id-second'), undefined);
    assert.deepEqual(
      archive.all().map(({ callId }) => callId),
      ['first', 'live'],
    );
    assert.ok(archive.bytes <= 30_000);
  });

  test('when all are in progress the oldest loses its events, and stays in the list', () => {
    const archive = new Archive({ bytes: 20_000 });
    const [first, second] = ['first', 'second'].map((name) => begun(archive, name));
    assert.ok(first !== undefined && second !== undefined);
    grow(archive, first, 12_000);
    grow(archive, second, 12_000);
    assert.deepEqual([first.events.length, first.dropped, second.events.length], [0, 1, 1]);
    assert.equal(archive.all().length, 2);
  });

  test('an ended call is forgotten after its time', () => {
    const archive = new Archive({ ageMs: 60_000 });
    end(archive, begun(archive, 'old'), 1_000);
    archive.expire(60_999);
    assert.equal(archive.all().length, 1);
    archive.expire(61_000);
    assert.equal(archive.all().length, 0);
    assert.equal(archive.bytes, 0);
  });

  test('the bytes that are counted are those that are held, whatever happens', () => {
    const step = fc.record({
      call: fc.integer({ min: 0, max: 5 }),
      bytes: fc.integer({ min: 0, max: 9_000 }),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const archive = new Archive({ bytes: 25_000, ended: 3 });
        steps.forEach(({ call, bytes, ends }, index) => {
          const one = archive.find(String(call)) ?? begun(archive, String(call), index);
          grow(archive, one, bytes);
          if (ends) end(archive, one, index);
          const held = archive.all().reduce((sum, each) => sum + each.bytes, 0);
          assert.equal(archive.bytes, held);
          assert.ok(held <= 25_000);
          assert.ok(archive.all().filter(({ isLive }) => !isLive).length <= 3);
        });
      }),
    );
  });

  test('what comes late for a call that is forgotten, as the answer of an rtpengine, counts for nobody', () => {
    const archive = new Archive({ bytes: 10_000 });
    const old = begun(archive, 'same');
    end(archive, old, 0);
    archive.forget(old);
    const again = begun(archive, 'same');
    for (let count = 0; count < 5; count++) grow(archive, old, 5_000);
    assert.equal(archive.bytes, again.bytes);
    assert.equal(archive.find('same'), again, 'its name is that of another call by now');
  });
});
