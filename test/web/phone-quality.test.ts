/** What the phone page makes of the browser's counters: `web/phone/quality.ts`, which needs no browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Circumstances, type Quality, qualityOf, type Sample } from '../../web/phone/quality.ts';

const talking: Circumstances = { peer: 'bob', muted: false, onHold: false };

/** A second in which everything goes well. */
const well = { spokenEnergy: 0.01, sentPackets: 50, heardPackets: 50, lostPackets: 0 };

/** Seven seconds of a call, each with this growth of the counters. */
function after(growth: Partial<typeof well>, fixed: Partial<Sample> = {}, start = 0): readonly Sample[] {
  const each = { ...well, ...growth };
  return Array.from({ length: 8 }, (_, second) => ({
    atMs: second * 1000,
    spokenEnergy: each.spokenEnergy * second,
    sentPackets: each.sentPackets * second,
    heardPackets: start + each.heardPackets * second,
    lostPackets: each.lostPackets * second,
    roundTripMs: 23.4,
    lostThere: 0,
    silenced: false,
    ...fixed,
  }));
}

const titleOf = (samples: readonly Sample[], circumstances: Partial<Circumstances> = {}): string | undefined =>
  qualityOf(samples, { ...talking, ...circumstances }).trouble?.title;

test('a good call: its grade, its round trip and its loss, and no word of trouble', () => {
  const wanted: Quality = { grade: 'good', text: 'Good · 23 ms · 0 % lost' };
  assert.deepEqual(qualityOf(after({}), talking), wanted);
});

test('loss and a long way make it fair or poor', () => {
  assert.equal(qualityOf(after({ lostPackets: 1 }), talking).text, 'Fair · 23 ms · 2.0 % lost');
  assert.equal(qualityOf(after({}, { roundTripMs: 300 }), talking).grade, 'fair');
  assert.equal(qualityOf(after({ heardPackets: 40, lostPackets: 10 }), talking).grade, 'poor');
  assert.equal(qualityOf(after({}, { roundTripMs: 900 }), talking).grade, 'poor');
});

test('RFC 3550 §6.4.1: a count of lost packets that falls is no loss', () => {
  assert.equal(qualityOf(after({ lostPackets: -1 }), talking).text, 'Good · 23 ms · 0 % lost');
});

test('nothing arrives: after 5 s a word, with another cause when something came before', () => {
  assert.equal(titleOf(after({ heardPackets: 0 })), 'Nothing arrives from bob');
  assert.equal(titleOf(after({ heardPackets: 0 }, {}, 400)), 'Nothing more arrives from bob');
  assert.equal(titleOf(after({ heardPackets: 0 }).slice(0, 5)), undefined);
  assert.match(qualityOf(after({ heardPackets: 0 }), talking).trouble?.next ?? '', /firewall.*20000 to 29999/);
});

test('what was heard has stopped: another way is worth a try; not where nothing was heard before, or on hold', () => {
  assert.equal(qualityOf(after({ heardPackets: 0 }, {}, 400), talking).hasStopped, true);
  assert.equal(qualityOf(after({ heardPackets: 0 }, {}, 400).slice(0, 5), talking).hasStopped, undefined);
  assert.equal(qualityOf(after({ heardPackets: 0 }), talking).hasStopped, undefined);
  assert.equal(qualityOf(after({ heardPackets: 0 }, {}, 400), { ...talking, onHold: true }).hasStopped, undefined);
});

test('nothing arrives and nothing leaves: the way itself', () => {
  assert.equal(titleOf(after({ heardPackets: 0, sentPackets: 0 })), 'No sound gets through, either way');
});

test('we do not hear you: the microphone gives digital silence, or the system says that it is muted', () => {
  assert.equal(titleOf(after({ spokenEnergy: 0 })), 'We do not hear you');
  const silenced = qualityOf(after({}, { silenced: true }), talking).trouble;
  assert.match(silenced?.next ?? '', /switch on the headset/);
});

test('who muted himself, or is on hold, is told nothing that he knows', () => {
  assert.equal(titleOf(after({ spokenEnergy: 0 }), { muted: true }), undefined);
  assert.equal(titleOf(after({}, { silenced: true }), { muted: true }), undefined);
  assert.deepEqual(qualityOf(after({ heardPackets: 0 }), { ...talking, onHold: true }), {
    grade: 'measuring',
    text: '',
  });
});

test('gaps: who hears them', () => {
  assert.equal(titleOf(after({ heardPackets: 40, lostPackets: 10 })), 'You hear bob with gaps');
  assert.equal(titleOf(after({}, { lostThere: 0.2 })), 'bob hears you with gaps');
});
