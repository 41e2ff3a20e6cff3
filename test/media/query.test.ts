import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { offerProfile } from '../../src/media/profiles.ts';
import { hasMark, lastPacketMs, packets, texts } from '../../src/media/query.ts';
import type { NgReply } from '../../src/ports.ts';
import { startTestRtpengine, type TestRtpengine } from '../support/rtpengine.ts';

let rtpengine: TestRtpengine;
before(async () => {
  rtpengine = await startTestRtpengine({ interfaces: ['127.0.0.1'] });
});
after(() => rtpengine.stop());

const golden = (name: string): string => readFileSync(new URL(`golden/${name}.sdp`, import.meta.url), 'latin1');

/** What the real one says of a call with these directions. */
async function queried(
  callId: string,
  offered: string,
  answered: string,
  changed = (offer: string): string => offer,
): Promise<NgReply> {
  const keys = { 'call-id': callId, 'from-tag': 'a', 'via-branch': 'vd/z9' } as const;
  const offer = changed(golden('004-phone-phone-offer').replace('a=sendrecv', `a=${offered}`));
  const answer = golden('004-phone-phone-answer').replace('a=sendrecv', `a=${answered}`);
  await rtpengine.send({ command: 'offer', ...keys, sdp: offer, ...offerProfile('rtp', 'rtp') });
  await rtpengine.send({ command: 'answer', ...keys, 'to-tag': 'b', sdp: answer });
  const reply = await rtpengine.send({ command: 'query', 'call-id': callId });
  await rtpengine.send({ command: 'delete', 'call-id': callId, 'delete-delay': 0 });
  return reply;
}

test('a session without packets was last heard of when it was made', async () => {
  const reply = await queried('both-ways', 'sendrecv', 'sendrecv');
  const agoMs = Date.now() - (lastPacketMs(reply) ?? 0);
  assert.ok(agoMs >= 0 && agoMs < 60_000, `${agoMs} ms ago`);
  assert.equal(packets(reply), 0);
  assert.deepEqual([hasMark(reply, 'vd'), hasMark(reply, 'other')], [true, false]);
});

test('a session on hold, in either style, has no last packet to wait for', async () => {
  assert.equal(lastPacketMs(await queried('hold', 'sendonly', 'recvonly')), undefined);
  assert.equal(lastPacketMs(await queried('quiet', 'inactive', 'inactive')), undefined);
  const byAddress = (sdp: string): string => sdp.replace(/^c=IN IP4 \S+/gm, 'c=IN IP4 0.0.0.0');
  assert.equal(lastPacketMs(await queried('address', 'sendrecv', 'sendrecv', byAddress)), undefined);
});

test('a reply of another shape says nothing', () => {
  for (const tags of ['x', 1, [], { a: 1 }, { a: { medias: 1 } }, { a: { medias: [{ flags: ['send', 'recv'] }] } }]) {
    assert.equal(lastPacketMs({ tags }), undefined);
    assert.equal(hasMark({ tags }, 'vd'), false);
  }
  assert.equal(packets({}), undefined);
  assert.deepEqual([texts('x'), texts(['a', 1])], [[], ['a']]);
});
