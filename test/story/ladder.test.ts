/** The story of a call, told by the whole proxy: its ladder, and what is kept of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LadderReport } from '../../src/engine/operations.ts';
import { createProxyScene, type ProxyScene, passwordOf } from '../support/proxy-scene.ts';
import { browserOffer, phoneAnswer } from '../support/sdp.ts';

const sdpType = 'application/sdp';

async function newest(scene: ProxyScene): Promise<LadderReport> {
  const { operations } = scene.proxy();
  const [call] = (await operations.calls({ limit: 1 })).items;
  const ladder = await operations.ladder(call?.id ?? '');
  assert.ok(ladder !== undefined, 'the call has a ladder');
  return ladder;
}

/** Without times and addresses. */
function drawing({ lines }: LadderReport): string {
  return lines
    .map(({ text }) => text.replace(/\+\d+\.\d+/, '').replace(/ +/g, ' '))
    .filter((text) => !/192\.0\.2/.test(text))
    .join('\n');
}

function stage(script: (scene: ProxyScene) => Promise<void>, isTrusted = true): Promise<void> {
  const scene = createProxyScene({ columns: ['alice', 'proxy', 'bob'], isTrusted: () => isTrusted });
  return scene.play(() => script(scene));
}

describe('the ladder of a call', () => {
  test('who looks at a call in progress has rtpengine asked; the ladder says so once', () =>
    stage(async (it) => {
      const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const { caller } = await it.call(alice, bob);
      const { operations } = it.proxy();
      const [call] = (await operations.calls({ limit: 1 })).items;
      for (let times = 0; times < 3; times++) {
        await operations.explain(call?.id ?? '');
        await it.clock.advance(10_000);
      }
      const { lines } = await newest(it);
      const [query, ...more] = lines.flatMap(({ text }) => /query.*/.exec(text) ?? []);
      assert.match(query ?? '', /^query, ok in 0 ms ×\d/);
      assert.deepEqual(more, []);
      await it.hangUp(alice, caller, bob);
    }));

  test('a call that ends before rtpengine is asked: what the caller speaks is known from his offer', () =>
    stage(async (it) => {
      const alice = await it.registered({ name: 'alice', address: '192.0.2.1', transport: 'wss' });
      alice.request('INVITE', 'sip:nobody@example.com', { body: browserOffer('alice'), contentType: sdpType });
      await alice.receivesFinal('INVITE');
      const { operations } = it.proxy();
      const [call] = (await operations.calls({ limit: 1 })).items;
      const explained = await operations.explain(call?.id ?? '');
      assert.equal(explained?.legs[0]?.profile, 'webrtc');
    }));

  test('a browser calls a telephone: each message, command and decision, in order', () =>
    stage(async (it) => {
      const alice = await it.registered({ name: 'alice', address: '192.0.2.1', transport: 'wss' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const { caller } = await it.call(alice, bob, { offer: browserOffer('alice') });
      await it.hangUp(alice, caller, bob);
      const expected = [
        ' alice Viaduct bob',
        'F1 ├─ INVITE (sdp: webrtc) ────────▶│ │',
        ' │ ● INVITE goes to bob │',
        'F2 │◀────────────────── 100 Trying ─┤ │',
        ' │ ● rtpengine: offer RTP/AVP, ok in 0 ms',
        'F3 │ ├─ INVITE (sdp: rtp) ───────────▶│',
        'F4 │ │◀───────────────── 180 Ringing ─┤',
        'F5 │◀───────────────── 180 Ringing ─┤ │',
        'F6 │ │◀─────────── 200 OK (sdp: rtp) ─┤',
        ' │ ● rtpengine: answer, ok in 0 ms │',
        ' │ ● answered: webrtc caller, rtp callee',
        'F7 │◀──────── 200 OK (sdp: webrtc) ─┤ │',
        'F8 ├─ ACK ─────────────────────────▶│ │',
        'F9 │ ├─ ACK ─────────────────────────▶│',
        'F10 ├─ BYE ─────────────────────────▶│ │',
        ' │ ● rtpengine: query, ok in 0 ms │',
        'F11 │ ├─ BYE ─────────────────────────▶│',
        'F12 │ │◀────────────── 200 OK for BYE ─┤',
        ' │ ● the caller hung up │',
        'F13 │◀────────────── 200 OK for BYE ─┤ │',
        ' │ ● rtpengine: delete, ok in 0 ms │',
      ];
      assert.equal(drawing(await newest(it)), expected.join('\n'));
    }));

  test('no line is wider than 100 columns, however many devices ring', async () => {
    const scene = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
    await scene.play(async () => {
      const alice = await scene.registered({ name: 'alice', address: '192.0.2.1' });
      const bobs = [];
      for (let device = 0; device < 4; device++) {
        bobs.push(await scene.registered({ name: 'bob', address: `192.0.2.${device + 10}` }));
      }
      const invite = alice.request('INVITE', 'sip:bob@example.com');
      for (const bob of bobs) bob.respond(await bob.receivesRequest('INVITE'), 486);
      alice.ack(invite, await alice.receivesFinal('INVITE'));
      const { lines, parties } = await newest(scene);
      assert.equal(parties.length, 5);
      for (const { text } of lines) assert.ok(Array.from(text).length <= 100, text);
    });
  });

  test('two callers with one Call-ID are two entries, and rtpengine refuses no question about them', async () => {
    const names = ['alice', 'bob', 'carol', 'dave'] as const;
    const it = createProxyScene({ columns: ['proxy', ...names], users: names });
    await it.play(async () => {
      const [alice, bob, carol, dave] = await Promise.all([
        it.registered({ name: 'alice', address: '192.0.2.1' }),
        it.registered({ name: 'bob', address: '192.0.2.2' }),
        it.registered({ name: 'carol', address: '192.0.2.3' }),
        it.registered({ name: 'dave', address: '192.0.2.4' }),
      ]);
      const first = await it.call(alice, bob, { callId: 'shared' });
      const second = await it.call(carol, dave, { callId: 'shared' });
      await it.hangUp(carol, second.caller, dave);
      await it.hangUp(bob, first.callee, alice);
      const { items } = await it.proxy().operations.calls({ limit: 5 });
      assert.deepEqual(
        items.map(({ callId, state }) => `${callId} ${state}`),
        ['shared ended', 'shared ended'],
      );
      for (const { id } of items) {
        const steps = (await it.proxy().operations.ladder(id))?.steps ?? [];
        assert.ok(steps.length > 10 && steps.every(({ tone }) => tone !== 'bad'));
        assert.ok(
          steps.some(({ kind }) => kind === 'ng'),
          'and what rtpengine was told',
        );
      }
    });
  });

  test('a repetition is counted and not drawn again', () =>
    stage(async (it) => {
      const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const invite = alice.request('INVITE', bob.aor);
      await it.clock.advance(2_000);
      bob.respond(await bob.receivesRequest('INVITE'), 603);
      alice.ack(invite, await alice.receivesFinal('INVITE'));
      const sent = (await newest(it)).steps.find(({ label, incoming }) => label === 'INVITE' && !incoming);
      assert.equal(sent?.times, 3);
      assert.equal(sent.lastSinceMs - sent.sinceMs, 1_500);
    }));

  test('law 8: what a caller logged in with is not kept for reading, nor are the keys of his media', () =>
    stage(async (it) => {
      const alice = await it.registered({ name: 'alice', address: '192.0.2.1', transport: 'wss' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      const first = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
      const challenge = await alice.receivesFinal('INVITE');
      alice.ack(first, challenge);
      const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
      const received = await bob.receivesRequest('INVITE');
      const ok = bob.respond(received, 200, { body: phoneAnswer('bob'), contentType: sdpType });
      const answered = await alice.receivesResponse(200);
      alice.ack(invite, answered);
      await bob.receivesRequest('ACK');
      await it.hangUp(bob, bob.dialog(received, ok), alice);
      const text = JSON.stringify(await newest(it));
      assert.match(text, /Proxy-Authorization: Digest username=\\"alice\\", \(removed\)/);
      assert.doesNotMatch(text, /response=/);
      assert.match(text, /a=ice-pwd:\*{24}/);
    }, false));
});
