/** What the page of a call makes of a ladder, and how the console reads events: no browser is needed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Leg } from '../../web/console/answers.ts';
import { diffLines } from '../../web/console/diff.ts';
import { eventReader } from '../../web/console/event-stream.ts';
import { packetRate, reported } from '../../web/console/quality.ts';
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

/** As REST has it: of somebody who looks `seconds` after the answer. */
function overTime(seconds: number): Leg['overTime'] {
  const [leg] = inventedExplanation(0, seconds).legs;
  const dated = <T extends { readonly atMs: number }>(items: readonly T[] = []) =>
    items.map(({ atMs, ...item }) => ({ ...item, at: new Date(atMs).toISOString() }));
  return { packets: dated(leg?.overTime.packets), quality: dated(leg?.overTime.quality) };
}

describe('media over time', () => {
  test('packets a second lie between one look and the next', () => {
    const rates = packetRate(overTime(20).packets).map(({ value }) => value);
    assert.ok(rates.length >= 8 && rates.every((value) => value === 50), rates.join(' '));
  });

  test('a count that went back belongs to another stream, and is no rate', () => {
    const at = (seconds: number) => new Date(seconds * 1000).toISOString();
    assert.deepEqual(
      packetRate([
        { at: at(0), packets: 500 },
        { at: at(10), packets: 0 },
      ]),
      [],
    );
  });

  test('each report is a point', () => {
    const { quality } = overTime(20);
    const points = reported(quality, ({ jitterMs }) => jitterMs);
    assert.equal(points.length, quality.length);
    assert.deepEqual(points[0], { atMs: Date.parse(quality[0]?.at ?? ''), value: quality[0]?.jitterMs });
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
