/** Recording, announcements and blocking over REST, in calls through a real rtpengine that has a folder to record to. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PASSWORD, type Softphone, softphoneOf, type Talk } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

describe('the media of a call, over REST', { concurrency: 1 }, () => {
  const suite = createSuite();
  const folder = mkdtempSync(join(tmpdir(), 'viaduct-recordings-'));
  let viaduct: Viaduct;
  let alice: Softphone;
  let bob: Softphone;
  let talk: Talk;
  let id: string;

  before(async () => {
    const users = ['alice', 'bob'].map((name) => `${name}:${PASSWORD}`).join(',');
    viaduct = await startViaduct(suite, { DEMO_USERS: users, RECORDING_DIR: join(folder, 'spool') });
    alice = await softphoneOf(suite, viaduct, { user: 'alice', transport: 'udp', voice: 1 });
    bob = await softphoneOf(suite, viaduct, { user: 'bob', transport: 'udp', voice: 2 });
    talk = await alice.call(bob);
    await Promise.all([alice.rtp.hear(2, 5), bob.rtp.hear(1, 5)]);
    id = (await viaduct.calls())[0]?.id ?? assert.fail('no call');
  });
  after(async () => {
    await suite.end();
    rmSync(folder, { recursive: true, force: true });
  });

  async function asks(what: string, body: object): Promise<{ readonly status: number; readonly text: string }> {
    const { host, port } = viaduct.run().http;
    const response = await fetch(`http://${host}:${port}/api/v1/calls/${id}/${what}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    return { status: response.status, text: await response.text() };
  }

  async function isDone(what: string, body: object): Promise<void> {
    const { status, text } = await asks(what, body);
    assert.ok(status === 200 || status === 204, `${status} ${text}`);
  }

  const recordings = (): readonly string[] => readdirSync(join(folder, 'spool', 'pcaps'));

  test('recorded from start to stop: a capture file with the packets of the call', async () => {
    assert.deepEqual(recordings(), []);
    await isDone('recording', { action: 'start' });
    await Promise.all([alice.rtp.hear(2, 30), bob.rtp.hear(1, 30)]);
    const { status, text } = await asks('recording', { action: 'pause' });
    assert.ok(status === 200 || (status === 501 && /Unrecognized command/.test(text)), `${status} ${text}`);
    await isDone('recording', { action: 'stop' });
    await delay(200);
    const [file = '', ...others] = recordings();
    assert.ok(file.endsWith('.pcap') && others.length === 0, file);
    assert.ok(statSync(join(folder, 'spool', 'pcaps', file)).size > 30 * 200);
    assert.equal((await viaduct.calls())[0]?.recording, 'off');
  });

  test('a side that is blocked is not heard, the other one is', async () => {
    await isDone('blocking', { what: 'media', of: 'caller', blocked: true });
    await delay(100);
    const before = bob.rtp.heard(1);
    await alice.rtp.hear(2, 20);
    assert.equal(bob.rtp.heard(1), before);
    await isDone('blocking', { what: 'media', of: 'caller', blocked: false });
    await bob.rtp.hear(1, 10);
  });

  test('blocked as both, let through one by one, and the other way round', async () => {
    await isDone('blocking', { what: 'media', of: 'both', blocked: true });
    await isDone('blocking', { what: 'media', of: 'caller', blocked: false });
    await bob.rtp.hear(1, 10);
    assert.ok(await alice.rtp.hearsNothing(200), 'the callee is still blocked');
    await isDone('blocking', { what: 'media', of: 'both', blocked: false });
    await alice.rtp.hear(2, 10);
  });

  test('an announcement is heard by the side it is for', async () => {
    // Half a second of nothing, which is one byte in PCMU.
    const file = join(folder, 'tone.wav');
    writeFileSync(file, wave(Buffer.alloc(8_000)), { mode: 0o644 });
    const silence = 0xff;
    await isDone('playing', { action: 'start', to: 'callee', file });
    await bob.rtp.hear(silence, 10);
    assert.equal(alice.rtp.heard(silence), 0);
    await isDone('playing', { action: 'stop', to: 'callee' });
    await bob.rtp.hear(1, 5);
    const audio = wave(Buffer.alloc(8_000)).toString('base64');
    await isDone('playing', { action: 'start', to: 'caller', audio });
    await alice.rtp.hear(silence, 5);
    const missing = await asks('playing', { action: 'start', to: 'caller', file: '/nowhere/none.wav' });
    assert.equal(missing.status, 409);
    assert.match(missing.text, /Failed to start media playback/);
  });

  test('over: 409', async () => {
    await alice.hangUp(talk.caller, bob);
    assert.equal((await asks('recording', { action: 'start' })).status, 409);
    await viaduct.rtpengine().assertReleased(talk.callId);
  });
});

/** A WAV file: 16 bits, 8000 Hz, one channel. */
function wave(samples: Buffer): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8_000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}
