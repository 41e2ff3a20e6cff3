/**
 * What somebody in trouble sees of calls through a running Viaduct with a real rtpengine: over REST and on a terminal.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Static } from 'typebox';
import { CallsBody } from '../../routes/http/schemas.ts';
import { callsCommand, ladderCommand, read, wordsOf } from '../../src/cli/calls.ts';
import { doctorCommand } from '../../src/cli/doctor.ts';
import { explainCommand } from '../../src/cli/explain.ts';
import { askRunning } from '../../src/cli/running.ts';
import { type SippCall, startCall } from '../support/sipp-calls.ts';
import { PASSWORD } from '../support/softphone.ts';
import { createSuite } from '../support/suite.ts';
import { startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const bobs = ['bob1', 'bob2', 'bob3', 'bob4'];
const users = ['alice', ...bobs].map((name) => `${name}:${PASSWORD}`).join(',');

describe('the story of real calls', { concurrency: 1 }, () => {
  const suite = createSuite();
  let running: Viaduct | undefined;
  before(async () => {
    running = await startViaduct(suite, { DEMO_USERS: users });
  });
  after(() => suite.end());
  const viaduct = (): Viaduct => running ?? assert.fail('Viaduct did not start');

  /** What a command prints, without colours. */
  async function prints(
    command: 'calls' | 'ladder' | 'explain' | 'doctor',
    ...args: readonly string[]
  ): Promise<string> {
    let text = '';
    const write = (more: string): void => {
      text += more;
    };
    // Wide enough for who hung up, packets and MOS.
    const screen = { colours: false, columns: 140, write };
    const { host, port } = viaduct().run().http;
    const api = askRunning(`http://${host}:${port}`, undefined);
    const commands = { calls: callsCommand, ladder: ladderCommand, explain: explainCommand, doctor: doctorCommand };
    assert.equal(await commands[command](api, screen, wordsOf(command, args), async () => undefined), 0);
    for (const line of text.split('\n')) assert.ok(Array.from(line).length <= screen.columns, line);
    return text;
  }

  async function list(query: string): Promise<Static<typeof CallsBody>> {
    const { host, port } = viaduct().run().http;
    const body = await read(askRunning(`http://${host}:${port}`, undefined), `/api/v1/calls?${query}`, CallsBody);
    return body ?? assert.fail('There is no list.');
  }

  async function exported(...args: readonly string[]): Promise<string> {
    let text = '';
    const write = (more: string): void => {
      text += more;
    };
    const { host, port } = viaduct().run().http;
    const api = askRunning(`http://${host}:${port}`, undefined);
    assert.equal(
      await callsCommand(api, { colours: false, columns: 80, write }, wordsOf('calls', ['export', ...args])),
      0,
    );
    return text;
  }

  async function over(t: Parameters<typeof startCall>[0], call: SippCall): Promise<void> {
    const { alice, bob } = await startCall(t, viaduct(), call);
    await Promise.all([alice.done(), bob.done()]);
    await viaduct().until('no call is left', ({ calls }) => calls.inProgress === 0 && calls.ringing === 0);
  }

  const udp = { caller: 'udp', callee: 'udp' } as const;

  test('a call that was heard: packets of both sides as rtpengine counted them, and the verdict', async (t) => {
    await over(t, { ...udp, calling: 'call', answering: 'answer', bob: 'bob1', pauseMs: 2_500 });
    const text = await prints('explain', '--sdp');
    t.diagnostic(`\n${text}\n${await prints('ladder')}`);
    assert.match(text, /^Both sides were heard for [123] s; the caller hung up\. \[52\]$/m);
    assert.equal([...text.matchAll(/media: \d\d+ packets \(\d+ KiB\) came from 127\.0\.0\.1:\d+/g)].length, 2);
    assert.equal([...text.matchAll(/cookie [0-9a-f]{32}$/gm)].length, 2);
    assert.match(text, /changed: media goes to .*:\d+ instead of 127\.0\.0\.1:\d+/);
    assert.match(text, /no MOS: no-rtcp/);
  });

  test('its record has packets of both sides and why there is no MOS, in the list and in the export', async () => {
    const [call] = (await list('state=ended')).items;
    assert.equal(call?.endedBy, 'caller');
    for (const leg of call?.legs ?? []) {
      assert.ok((leg.packets ?? 0) > 50 && (leg.bytes ?? 0) > 5_000, JSON.stringify(leg));
      assert.equal(leg.noQuality, 'no-rtcp');
    }
    assert.match(await prints('calls', 'ended'), / caller +\d+\/\d+ +no-rtcp$/m);
    const [titles = '', row = ''] = (await exported('ended')).split('\r\n');
    const cells = new Map(titles.split(',').map((title, index) => [title, row.split(',')[index]]));
    assert.equal(cells.get('calleePackets'), String(call?.legs[1]?.packets));
  });

  test('the doctor finds nothing broken, and says where the media goes', async () => {
    const text = await prints('doctor');
    assert.match(text, /^ok {6}rtpengine +udp:127\.\S+ answers; media goes to \S+\.$/m);
    assert.match(text, /^ok {6}database +PostgreSQL \d+.* \d+ migrations\.$/m);
    assert.match(text, /^0 errors, \d warnings\.$/m);
    await viaduct().rtpengine().assertReleased('viaduct-doctor');
  });

  test('a busy callee: the verdict, the ladder and the list of failed calls say so', async (t) => {
    await over(t, { ...udp, calling: 'refused', answering: 'reject', bob: 'bob2', status: 486 });
    assert.match(await prints('explain'), /^error: The called party is busy\. \[22\]$/m);
    assert.match(await prints('ladder'), /486 Busy/);
    assert.match(await prints('calls', 'failed'), /failed 486/);
  });

  test('the failed call is explained, and all calls are listed after kill -9, from the database', async () => {
    const before = await prints('explain');
    await delay(3_000);
    await viaduct().kill9();
    await viaduct().restart();
    assert.match(await prints('calls', 'ended'), / caller +\d+\/\d+ +no-rtcp$/m);
    const [, row = ''] = (await prints('calls', 'failed')).split('\n');
    assert.match(row, /failed 486/);
    assert.equal(await prints('explain', row.split(' ')[0] ?? ''), before);
  });
});
