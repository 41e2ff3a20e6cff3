/** What the page of a call makes of a ladder, and how the console reads events: no browser is needed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CallExplanation } from '../../src/engine/operations.ts';
import { diffLines } from '../../web/console/diff.ts';
import { eventReader } from '../../web/console/event-stream.ts';
import { type MediaHistory, measured, packetRate, rememberMedia } from '../../web/console/quality.ts';
import { inventedExplanation } from '../browser/console-ladder.ts';

test('a diff: what stays, what went, what came', () => {
  assert.deepEqual(diffLines('v=0\r\nm=audio 1 RTP/AVP 0\r\na=x\r\n', 'v=0\r\nm=audio 2 RTP/AVP 0\r\na=x\r\na=y\r\n'), [
    { change: 'same', text: 'v=0' },
    { change: 'gone', text: 'm=audio 1 RTP/AVP 0' },
    { change: 'new', text: 'm=audio 2 RTP/AVP 0' },
    { change: 'same', text: 'a=x' },
    { change: 'new', text: 'a=y' },
  ]);
});

test('without what came a diff is the text before, without what went the text after', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after);
      const without = (change: string) => lines.filter((line) => line.change !== change).map((line) => line.text);
      assert.deepEqual(without('new'), before.split('\n'));
      assert.deepEqual(without('gone'), after.split('\n'));
    }),
  );
});

/** As REST has them. */
function withNulls(legs: CallExplanation['legs']) {
  return legs.map(({ media, profile, sdpFrom, sdpTo, noQuality, ...leg }) => ({
    ...leg,
    profile: profile ?? null,
    sdpFrom: sdpFrom ?? null,
    sdpTo: sdpTo ?? null,
    noQuality: noQuality ?? null,
    media:
      media === undefined
        ? null
        : {
            ...media,
            viaBranch: media.viaBranch ?? null,
            silentSeconds: media.silentSeconds ?? null,
            quality: media.quality ?? null,
          },
  }));
}

describe('media over time', () => {
  /** As somebody sees it who looks every two seconds. */
  function lookedAt(forSeconds: number, known: MediaHistory = new Map()): MediaHistory {
    let history = known;
    for (let second = 0; second < forSeconds; second += 2) {
      const legs = withNulls(inventedExplanation(0, second).legs);
      history = rememberMedia(history, { call: { state: 'answered' }, legs }, second * 1000);
    }
    return history;
  }

  const samplesOf = (history: MediaHistory, tag: string) => history.get(tag)?.samples ?? [];

  test('it is kept for each side, the caller first, and for five minutes', () => {
    const kept = [...lookedAt(600)].map(([tag, { name, samples }]) => [tag, name, samples.length]);
    assert.deepEqual(kept, [
      ['a', 'alice', 150],
      ['b', 'bob', 150],
    ]);
  });

  test('packets a second are known of both sides, quality only where RTCP tells it', () => {
    const history = lookedAt(10);
    for (const side of ['a', 'b']) {
      assert.deepEqual(
        packetRate(samplesOf(history, side)).map(({ value }) => value),
        [50, 50],
      );
    }
    const jitter = (side: string) => measured(samplesOf(history, side), ({ jitterMs }) => jitterMs);
    assert.deepEqual([jitter('a').length, jitter('b').length], [5, 0]);
  });

  test('a count that went back belongs to another stream, and is no rate', () => {
    const [first, second] = samplesOf(lookedAt(4), 'a');
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(packetRate([first, second, { ...first, atMs: 9000 }]), []);
  });

  test('the first look may tell what was known long before: its packets are not of now', () => {
    const [first, ...others] = samplesOf(lookedAt(10), 'a');
    assert.ok(first !== undefined);
    assert.deepEqual(packetRate([{ ...first, packets: 0 }, ...others]), packetRate([first, ...others]));
  });

  test('after the call the lines stay as they were', () => {
    const history = lookedAt(6);
    const legs = withNulls(inventedExplanation(0, 6).legs);
    assert.equal(rememberMedia(history, { call: { state: 'ended' }, legs }, 8000), history);
  });
});

test('WHATWG HTML §9.2.6: events are read however they are cut, comments and retry: are no events', () => {
  const text = 'retry: 2000\n\n: hello\n\nevent: call\r\ndata: {"a":1}\r\n\r\nevent: counters\ndata: x\ndata: y\n\n';
  const wanted = [
    { type: 'call', data: '{"a":1}' },
    { type: 'counters', data: 'x\ny' },
  ];
  for (let size = 1; size < text.length; size++) {
    const read = eventReader();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...read(text.slice(at, at + size)));
    assert.deepEqual(found, wanted, `in pieces of ${size}`);
  }
});

test('an event without an end is given up', () => {
  const read = eventReader();
  assert.throws(() => read('x'.repeat(5 * 1024 * 1024)), /without an end/);
});
