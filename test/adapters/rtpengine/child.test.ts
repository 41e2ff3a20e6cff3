import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  findRtpengine,
  type RtpengineChild,
  type RtpengineOptions,
  startRtpengine,
} from '../../../src/adapters/rtpengine/child.ts';
import { childInterfaces, localAddresses, sourceTowards } from '../../../src/adapters/rtpengine/child-interfaces.ts';
import { type ChildRecord, readChildRecord } from '../../../src/adapters/rtpengine/child-record.ts';
import { openNgClient } from '../../../src/adapters/rtpengine/ng-client.ts';
import { endProcess, identify, isAlive } from '../../../src/adapters/rtpengine/process-identity.ts';
import type { Clock } from '../../../src/ports.ts';
import { realClock, realRandom, silentLog } from '../../support/rtpengine.ts';

const loopback = { interfaces: ['127.0.0.1'], portMin: 19_400, portMax: 19_499 };
const services = { clock: realClock, random: realRandom, log: silentLog };

function folder(test: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'viaduct-child-'));
  test.after(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function start(
  test: TestContext,
  options: Partial<RtpengineOptions> & { dataDir: string },
): Promise<RtpengineChild> {
  const child = await startRtpengine({
    interfaces: ['127.0.0.1'],
    portMin: 19_400,
    portMax: 19_499,
    ...services,
    ...options,
  });
  test.after(() => child.stop());
  return child;
}

/** A Viaduct that is killed once its rtpengine runs: the child goes on, and nobody watches it any more. */
async function startAndBeKilled(dataDir: string): Promise<ChildRecord> {
  let killed = false;
  const after: Clock['after'] = (delayMs, action) => realClock.after(delayMs, () => (killed ? undefined : action()));
  await startRtpengine({ dataDir, ...loopback, ...services, clock: { ...realClock, after } });
  killed = true;
  const record = readChildRecord(dataDir);
  assert.ok(record !== undefined);
  return record;
}

async function ping({ node }: RtpengineChild): Promise<unknown> {
  const client = openNgClient({ host: node.host, port: node.port, ...services });
  const reply = await client.send({ command: 'ping' });
  client.close();
  return reply.result;
}

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; tries < 250 && !done(); tries += 1) await delay(20);
  assert.ok(done(), 'it never came');
}

function commandLine(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    .split('\0')
    .filter((each) => each !== '');
}

describe('interfaces of the child (DESIGN §4)', () => {
  const local = {
    defaultRoute: ['192.0.2.5', '2001:db8::5'],
    own: ['10.0.0.5', '192.0.2.5', 'fe80::1', '2001:db8::5'],
    loopback: ['127.0.0.1', '::1'],
  };
  const v4Only = { ...local, defaultRoute: ['192.0.2.5'], own: ['192.0.2.5'] };
  const cases = [
    ['the addresses of the default route, IPv4 and IPv6', {}, local, ['192.0.2.5', '2001:db8::5']],
    ['no network: loopback', {}, { ...local, defaultRoute: [], own: [] }, ['127.0.0.1', '::1']],
    ['a network without a way out', {}, { ...local, defaultRoute: [] }, ['10.0.0.5', '2001:db8::5']],
    [
      'a link-local address is no address for SDP',
      {},
      { ...local, defaultRoute: ['fe80::1'], own: ['fe80::1'] },
      ['127.0.0.1', '::1'],
    ],
    [
      'behind NAT: the public address of SIP is that of media',
      { advertised: ['203.0.113.7'] },
      local,
      ['192.0.2.5!203.0.113.7', '2001:db8::5'],
    ],
    ['the public address is one that this host has', { advertised: ['10.0.0.5'] }, local, ['10.0.0.5', '2001:db8::5']],
    ['a public address for a family that this host has not', { advertised: ['2001:db8::9'] }, v4Only, ['192.0.2.5']],
    [
      'media where SIP is: one listening address',
      { bound: ['10.0.0.5', '10.0.0.5'] },
      local,
      ['10.0.0.5', '2001:db8::5'],
    ],
    [
      'media where SIP is, behind NAT',
      { bound: ['10.0.0.5'], advertised: ['203.0.113.7'] },
      local,
      ['10.0.0.5!203.0.113.7', '2001:db8::5'],
    ],
    ['SIP in two networks', { bound: ['10.0.0.5', '192.0.2.5'] }, local, ['192.0.2.5', '2001:db8::5']],
    ['SIP everywhere', { bound: ['0.0.0.0', '::'] }, local, ['192.0.2.5', '2001:db8::5']],
    ['SIP on loopback: others may come by a proxy', { bound: ['127.0.0.1'] }, local, ['192.0.2.5', '2001:db8::5']],
    [
      'MEDIA_ADDRESS holds before the default route, LISTEN and ADVERTISE',
      { mediaAddress: '10.0.0.5!203.0.113.7', advertised: ['203.0.113.8'], bound: ['192.0.2.5'] },
      local,
      ['10.0.0.5!203.0.113.7'],
    ],
    [
      'MEDIA_ADDRESS for both families',
      { mediaAddress: ' 10.0.0.5!203.0.113.7  2001:db8::7' },
      local,
      ['10.0.0.5!203.0.113.7', '2001:db8::7'],
    ],
    ['an empty MEDIA_ADDRESS is none', { mediaAddress: '' }, local, ['192.0.2.5', '2001:db8::5']],
    [
      'what the caller gives holds before all',
      { interfaces: ['127.0.0.1'], mediaAddress: '10.0.0.5', advertised: ['203.0.113.7'] },
      local,
      ['127.0.0.1'],
    ],
    ['nothing known at all', {}, { defaultRoute: [], own: [], loopback: [] }, ['127.0.0.1']],
  ] as const;
  for (const [title, wishes, addresses, expected] of cases) {
    it(title, () => assert.deepEqual(childInterfaces(wishes, addresses), expected));
  }

  it('where no route leads, such as on a laptop without a network, there is no address: not 0.0.0.0', async () => {
    // Without SO_BROADCAST the system refuses it at once, on every host.
    assert.equal(await sourceTowards('udp4', '255.255.255.255'), undefined);
  });

  it('the addresses of this host are numeric, and loopback is among them', async () => {
    const { defaultRoute, loopback } = await localAddresses();
    assert.ok(loopback.includes('127.0.0.1'));
    for (const address of defaultRoute) assert.match(address, /^[0-9a-fA-F.:]+$/);
  });
});

describe('process identity', () => {
  it('knows a process by its id and its start', () => {
    const self = identify(process.pid);
    assert.ok(self !== undefined && isAlive(self));
    assert.equal(isAlive({ ...self, startTime: '1' }), false);
  });

  it('knows no process that has ended, nor its remains', async () => {
    const child = spawn('sleep', ['60']);
    const identity = identify(child.pid ?? 0);
    assert.ok(identity !== undefined);
    await endProcess(identity);
    assert.equal(isAlive(identity), false);
  });

  it('kills what ignores the polite signal', async () => {
    const child = spawn('sh', ['-c', "trap '' TERM; echo ready; while :; do sleep 0.05; done"]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const identity = identify(child.pid ?? 0);
    assert.ok(identity !== undefined);
    await endProcess(identity, 200);
    assert.equal(isAlive(identity), false);
  });
});

describe('the rtpengine child', () => {
  it('is found where it is installed, and not where it is not', () => {
    assert.match(findRtpengine() ?? '', /\/rtpengine$/);
    assert.equal(findRtpengine('/nowhere'), findRtpengine(''));
  });

  it('starts, answers, and stops without leaving anything but its log', async (test) => {
    const dataDir = folder(test);
    const child = await start(test, { dataDir });
    assert.equal(await ping(child), 'pong');
    assert.equal(child.adopted, false);
    const pid = child.pid();
    const record = readChildRecord(dataDir);
    assert.deepEqual([record?.pid, record?.port], [pid, child.node.port]);
    await child.stop();
    assert.equal(identify(pid), undefined);
    assert.equal(readChildRecord(dataDir), undefined);
    assert.equal(existsSync(join(dataDir, 'rtpengine.log')), true);
  });

  it('reads no configuration file, listens on loopback for ng only, and has its own process group', async (test) => {
    const child = await start(test, { dataDir: folder(test) });
    const line = commandLine(child.pid());
    for (const option of ['--config-file=none', '--table=-1', '--delete-delay=0', '--foreground', '--log-stderr']) {
      assert.ok(line.includes(option), option);
    }
    assert.deepEqual(
      line.filter((each) => each.startsWith('--listen')),
      [`--listen-ng=127.0.0.1:${child.node.port}`],
    );
    const group = readFileSync(`/proc/${child.pid()}/stat`, 'latin1').split(') ')[1]?.split(' ')[2];
    assert.equal(Number(group), child.pid());
  });

  it('gets none of our environment but PATH: it has secrets', async (test) => {
    process.env.VIADUCT_TEST_SECRET = 'hidden';
    const child = await start(test, { dataDir: folder(test) });
    delete process.env.VIADUCT_TEST_SECRET;
    assert.doesNotMatch(readFileSync(`/proc/${child.pid()}/environ`, 'latin1'), /hidden/);
  });

  it('is adopted by the next start when Viaduct was killed, with its port', async (test) => {
    const dataDir = folder(test);
    const first = await startAndBeKilled(dataDir);
    const second = await start(test, { dataDir });
    assert.equal(second.adopted, true);
    assert.deepEqual([second.pid(), second.node.port], [first.pid, first.port]);
    assert.equal(await ping(second), 'pong');
  });

  it('is replaced when the settings have changed', async (test) => {
    const dataDir = folder(test);
    const first = await startAndBeKilled(dataDir);
    const second = await start(test, { dataDir, portMax: 19_449 });
    assert.equal(second.adopted, false);
    assert.equal(isAlive(first), false);
    assert.equal(await ping(second), 'pong');
  });

  it('is replaced when it hangs', async (test) => {
    const dataDir = folder(test);
    const first = await startAndBeKilled(dataDir);
    process.kill(first.pid, 'SIGSTOP');
    await until(() => /\) T /.test(readFileSync(`/proc/${first.pid}/stat`, 'latin1')));
    const second = await start(test, { dataDir });
    assert.equal(second.adopted, false);
    assert.equal(isAlive(first), false);
    assert.equal(await ping(second), 'pong');
  });

  it('a record of another process with the same id is not believed', async (test) => {
    const dataDir = folder(test);
    const record = { pid: process.pid, startTime: '1', port: 9, command: ['rtpengine'] };
    writeFileSync(join(dataDir, 'rtpengine.json'), JSON.stringify(record));
    const child = await start(test, { dataDir });
    assert.equal(child.adopted, false);
    assert.equal(await ping(child), 'pong');
  });

  for (const text of ['', '{', '[]', '{"pid":"x"}', 'null']) {
    it(`a record that says ${JSON.stringify(text)} is none`, (test) => {
      const dataDir = folder(test);
      writeFileSync(join(dataDir, 'rtpengine.json'), text);
      assert.equal(readChildRecord(dataDir), undefined);
    });
  }

  it('is started again on the same port when it dies, and the log says what to do', async (test) => {
    const told: object[] = [];
    const log = { ...silentLog, error: (fields: object) => told.push(fields) };
    const dataDir = folder(test);
    const child = await start(test, { dataDir, log });
    const [pid, port] = [child.pid(), child.node.port];
    process.kill(pid, 'SIGKILL');
    await until(() => child.pid() !== pid);
    assert.equal(await ping(child), 'pong');
    assert.equal(readChildRecord(dataDir)?.port, port);
    assert.match(JSON.stringify(told), /rtpengine\.log/);
  });

  it('with an address that this host does not have is refused: rtpengine itself would say nothing', async (test) => {
    const options = { dataDir: folder(test), ...services };
    const started = startRtpengine({ ...options, mediaAddress: '192.0.2.250!203.0.113.7' });
    await assert.rejects(started, { code: 'rtpengine-start', detail: 'This host has no address 192.0.2.250.' });
    assert.equal(readChildRecord(options.dataDir), undefined);
  });

  it('that ends at once is a Failure with its own words', async (test) => {
    const dataDir = folder(test);
    const binary = join(dataDir, 'rtpengine');
    writeFileSync(binary, '#!/bin/sh\necho "ERR: no sockets left" >&2\n', { mode: 0o755 });
    const started = startRtpengine({ dataDir, interfaces: ['127.0.0.1'], binary, ...services });
    await assert.rejects(started, { code: 'rtpengine-start', detail: 'ERR: no sockets left' });
    assert.equal(readChildRecord(dataDir), undefined);
  });

  it('that is no program is a Failure', async (test) => {
    const options = { dataDir: folder(test), interfaces: ['127.0.0.1'], binary: '/nowhere/rtpengine', ...services };
    await assert.rejects(startRtpengine(options), { code: 'rtpengine-start' });
  });
});
