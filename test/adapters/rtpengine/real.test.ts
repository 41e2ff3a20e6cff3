/** The relay against a real rtpengine that is full, hangs, or dies. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type OpenMediaRelay, openMediaRelay } from '../../../src/adapters/rtpengine/relay.ts';
import type { NgCommand, NgReply } from '../../../src/media/commands.ts';
import { offerProfile } from '../../../src/media/profiles.ts';
import { realClock, realRandom, silentLog, startTestRtpengine, type TestRtpengine } from '../../support/rtpengine.ts';

const sdp = readFileSync(new URL('../../media/golden/004-phone-phone-offer.sdp', import.meta.url), 'latin1');

interface Lab {
  readonly rtpengine: TestRtpengine;
  readonly relay: OpenMediaRelay;
  readonly id: string;
  offer(callId: string): Promise<NgReply>;
  remove(callId: string): Promise<NgReply>;
}

async function lab(test: TestContext, options: { ports?: number } = {}): Promise<Lab> {
  const rtpengine = await startTestRtpengine({ interfaces: ['127.0.0.1'], ...options });
  const relay = openMediaRelay({ nodes: [rtpengine.node], clock: realClock, random: realRandom, log: silentLog });
  test.after(async () => {
    await relay.shutdown();
    await rtpengine.stop();
  });
  await relay.ready;
  const { id } = rtpengine.node;
  const send = (command: NgCommand): Promise<NgReply> => relay.send(id, command);
  return {
    rtpengine,
    relay,
    id,
    offer: (callId) =>
      send({ command: 'offer', 'call-id': callId, 'from-tag': 'a', sdp, ...offerProfile('rtp', 'rtp') }),
    remove: (callId) => send({ command: 'delete', 'call-id': callId, 'delete-delay': 0 }),
  };
}

function state(relay: OpenMediaRelay): string | undefined {
  return relay.nodes()[0]?.state;
}

async function until(done: () => boolean, limitMs = 10_000): Promise<void> {
  for (const endMs = Date.now() + limitMs; Date.now() < endMs && !done(); ) await delay(10);
  assert.ok(done(), 'it never came');
}

async function untilAnswered(ask: () => Promise<NgReply>): Promise<void> {
  let answered = false;
  for (let tries = 0; tries < 40 && !answered; tries += 1) {
    answered = await ask().then(
      () => true,
      () => delay(50, false),
    );
  }
  assert.ok(answered, 'it never came');
}

describe('media relay with a real rtpengine', () => {
  it('is up after its first ping and knows its ports', async (test) => {
    const { relay, id } = await lab(test);
    assert.deepEqual(relay.candidates('c1'), [id]);
    assert.deepEqual(relay.nodes()[0]?.ports, { used: 0, free: 200 });
  });

  it('out of ports: media-busy, the node is left alone, and takes calls again when one has ended', async (test) => {
    const { relay, rtpengine, offer, remove } = await lab(test, { ports: 8 });
    await offer('one');
    await offer('two');
    await assert.rejects(offer('three'), { code: 'media-busy', detail: 'Ran out of ports' });
    assert.equal(state(relay), 'busy');
    await remove('one');
    // rtpengine closes the sockets of an ended call a moment later.
    await untilAnswered(() => offer('four'));
    assert.equal(state(relay), 'up');
    await remove('two');
    await remove('three');
    await remove('four');
    await rtpengine.assertReleased('four');
  });

  it('hung, then awake: the repetitions of one offer take ports once', async (test) => {
    const { relay, rtpengine, offer, remove } = await lab(test);
    process.kill(rtpengine.pid(), 'SIGSTOP');
    await until(() => readFileSync(`/proc/${rtpengine.pid()}/stat`, 'latin1').includes(') T '));
    const sent = offer('slow');
    await delay(600);
    process.kill(rtpengine.pid(), 'SIGCONT');
    assert.match(String((await sent).sdp), /^m=audio \d+ RTP\/AVP/m);
    assert.equal(await rtpengine.portsUsed(), 4);
    await until(() => (Object.values(relay.counters())[0]?.duplicate ?? 0) > 0);
    await remove('slow');
    await rtpengine.assertReleased('slow');
  });

  it('killed: down at once, its calls are lost, and new ones work as soon as it is back', async (test) => {
    const { relay, rtpengine, offer, remove, id } = await lab(test);
    await offer('before');
    const pid = rtpengine.pid();
    process.kill(pid, 'SIGKILL');
    // Its answer may come from the one that is started next: the repetitions go on.
    const asked = relay.send(id, { command: 'list', limit: 10 }).catch(() => {});
    await until(() => state(relay) === 'down');
    assert.deepEqual(relay.candidates('after'), []);
    await until(() => rtpengine.pid() !== pid);
    await until(() => state(relay) === 'up');
    await asked;
    const late = { command: 'answer', 'call-id': 'before', 'from-tag': 'a', 'to-tag': 'b', sdp } as const;
    await assert.rejects(relay.send(id, late), { code: 'media-lost', detail: 'Unknown call-id' });
    await offer('after');
    await remove('after');
    await rtpengine.assertReleased('after');
  });

  it('two hundred commands at once are all answered', async (test) => {
    const { rtpengine, relay, id } = await lab(test);
    const commands = Array.from({ length: 200 }, (): NgCommand => ({ command: 'statistics' }));
    const replies = await Promise.all(commands.map((command) => relay.send(id, command)));
    assert.ok(replies.every(({ result }) => result === 'ok'));
    assert.equal(await rtpengine.portsUsed(), 0);
  });
});
