import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { addressesIn } from '../../../src/adapters/dns/hosts.ts';
import { createResolver } from '../../../src/adapters/dns/resolver.ts';
import { type NameServer, startNameServer, type Zone } from './name-server.ts';

const zone: Zone = {
  'sip.example.com': { a: ['192.0.2.10', '192.0.2.11'] },
  'dead.example.com': { silent: true },
  'half.example.com': { a: ['192.0.2.12'], drops: 'AAAA' },
  'cold.example.com': { a: ['192.0.2.13'], aaaa: ['2001:db8:0:0:0:0:0:13'], delays: { type: 'A', ms: 600 } },
  'alias.example.com': { cname: 'next.example.com' },
  'next.example.com': { cname: 'sip.example.com' },
  'loop.example.com': { cname: 'pool.example.com' },
  'pool.example.com': { cname: 'loop.example.com' },
  '_sip._udp.alias.example.com': { cname: '_sips._tcp.example.com' },
  '_sip._udp.large.example.com': { srv: manyServers(), isTruncated: true },
  'example.com': { naptr: ['10 20 SIPS+D2T _sips._tcp.example.com', '20 10 SIP+D2U _sip._udp.example.com'] },
  '_sips._tcp.example.com': { srv: ['1 75 5061 sip.example.com', '2 0 5071 backup.example.com'] },
};

/** Some 3000 bytes. */
function manyServers(): readonly string[] {
  return Array.from({ length: 60 }, (_, index) => `1 0 5060 server-${index}.large.example.com`);
}

let server: NameServer;
let folder: string;

before(async () => {
  server = await startNameServer(zone);
  folder = await mkdtemp(join(tmpdir(), 'viaduct-dns-'));
  await writeFile(join(folder, 'hosts'), '127.0.0.1 localhost\n::1 localhost # both\n10.0.0.9 pbx PBX.example.com\n');
});

after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function resolver(options: { readonly nowMs?: () => number } = {}) {
  return createResolver({ servers: [server.address], hostsPath: join(folder, 'hosts'), timeoutMs: 100, ...options });
}

/** How often a name was asked for (A questions) while `action` ran. */
async function questions(name: string, action: () => Promise<unknown>): Promise<number> {
  const before = server.asked.length;
  await action();
  return server.asked.slice(before).filter((line) => line === `${name} A`).length;
}

test('numeric addresses pass through, IPv6 without brackets', async () => {
  const { addresses } = wrap(resolver());
  assert.deepEqual(await addresses('192.0.2.1'), ['192.0.2.1']);
  assert.deepEqual(await addresses('[2001:DB8::1]'), ['2001:db8::1']);
  assert.deepEqual(await addresses('::1'), ['::1']);
});

test('all addresses of a name come back, and its case does not matter', async () => {
  const { addresses } = wrap(resolver());
  assert.deepEqual(await addresses('SIP.example.com'), ['192.0.2.10', '192.0.2.11']);
  assert.deepEqual(await addresses('sip.example.com.'), ['192.0.2.10', '192.0.2.11']);
});

test('RFC 2606 §2: .invalid is never asked for', async () => {
  const before = server.asked.length;
  const { addresses } = wrap(resolver());
  for (const host of ['df7jal23ls0d.invalid', 'x.INVALID.', 'invalid']) assert.deepEqual(await addresses(host), []);
  assert.equal(server.asked.length, before);
});

test('what cannot be a host name is not asked for', async () => {
  const before = server.asked.length;
  const { addresses } = wrap(resolver());
  for (const host of ['', 'a b', '-a.com', 'a..b', 'x'.repeat(64), 'h\xe9.com', '%00']) {
    assert.deepEqual(await addresses(host), [], host);
  }
  assert.equal(server.asked.length, before);
});

test('the hosts file comes first', async () => {
  const { addresses } = wrap(resolver());
  assert.deepEqual(await addresses('localhost'), ['127.0.0.1', '::1']);
  assert.deepEqual(await addresses('pbx.example.com'), ['10.0.0.9']);
  assert.deepEqual(addressesIn('# 1.2.3.4 x\nbad x\n1.2.3.5 y x', 'x'), ['1.2.3.5']);
});

test('an unknown name and a silent name server are both nowhere, within the timeout, and can be told apart', async () => {
  const names = resolver();
  assert.deepEqual(
    [await names.addresses('nobody.example.com'), names.isUnanswered('nobody.example.com')],
    [[], false],
  );
  assert.deepEqual([await names.addresses('dead.example.com'), names.isUnanswered('DEAD.example.com')], [[], true]);
});

test('RFC 8305 §3: a name server that never answers for the other family holds nobody up', async () => {
  const patient = createResolver({ servers: [server.address], hostsPath: join(folder, 'hosts'), timeoutMs: 60_000 });
  const timer = new AbortController();
  const late = setTimeout(20_000, ['late'], { signal: timer.signal }).catch(() => []);
  assert.deepEqual(await Promise.race([patient.addresses('half.example.com'), late]), ['192.0.2.12']);
  timer.abort();
});

test('a name server that looks for A longer than for AAAA is waited for: a host without IPv6 would reach nobody for 30 s', async () => {
  const patient = createResolver({ servers: [server.address], hostsPath: join(folder, 'hosts') });
  assert.deepEqual(await patient.addresses('cold.example.com'), ['192.0.2.13', '2001:db8::13']);
});

test('RFC 2782: SRV records come with priority, weight, port and host; without any, and without an answer, none', async () => {
  const names = resolver();
  const services = await names.services('_SIPS._tcp.example.com');
  assert.deepEqual(
    services.map(({ priority, weight, port, name }) => [priority, weight, port, name]),
    [
      [1, 75, 5061, 'sip.example.com'],
      [2, 0, 5071, 'backup.example.com'],
    ],
  );
  assert.deepEqual(await names.services('_sip._udp.nobody.example.com'), []);
  assert.deepEqual(await names.services('dead.example.com'), []);
});

test('RFC 1034 §3.6.2: a name that stands for another is followed, and a circle of them is nowhere', async () => {
  const names = resolver();
  assert.deepEqual(await names.addresses('alias.example.com'), ['192.0.2.10', '192.0.2.11']);
  assert.equal((await names.services('_sip._udp.alias.example.com')).length, 2);
  assert.deepEqual(await names.addresses('loop.example.com'), []);
});

test('RFC 2181 §9: what is too much for a datagram is asked for again over TCP', async () => {
  const names = createResolver({ servers: [server.address], hostsPath: join(folder, 'hosts') });
  assert.equal((await names.services('_sip._udp.large.example.com')).length, 60);
  assert.ok(server.asked.includes('_sip._udp.large.example.com SRV TCP'));
});

test('RFC 3403: NAPTR records come with order, preference, flags, service and replacement', async () => {
  const pointers = await resolver().pointers('example.com');
  assert.deepEqual(
    pointers.map(({ order, preference, flags, service, replacement }) => [
      order,
      preference,
      flags,
      service,
      replacement,
    ]),
    [
      [10, 20, 's', 'SIPS+D2T', '_sips._tcp.example.com'],
      [20, 10, 's', 'SIP+D2U', '_sip._udp.example.com'],
    ],
  );
  assert.deepEqual(await resolver().pointers('nobody.example.com'), []);
});

test('an answer is kept for 30 s and a failure for 5 s; equal questions at one time are one', async () => {
  let nowMs = 0;
  const { addresses } = wrap(resolver({ nowMs: () => nowMs }));
  const good = 'sip.example.com';
  assert.equal(await questions(good, () => Promise.all([addresses(good), addresses(good), addresses(good)])), 1);
  nowMs = 29_999;
  assert.equal(await questions(good, () => addresses(good)), 0);
  nowMs = 30_000;
  assert.equal(await questions(good, () => addresses(good)), 1);
  const bad = 'nobody.example.com';
  assert.equal(await questions(bad, () => addresses(bad)), 1);
  nowMs += 4_999;
  assert.equal(await questions(bad, () => addresses(bad)), 0);
  nowMs += 1;
  assert.equal(await questions(bad, () => addresses(bad)), 1);
});

test('RFC 8767: with all name servers away what was last known holds on for three days; a name server that says no is heard', async (t) => {
  let nowMs = 0;
  const names = { 'trunk.example': { a: ['192.0.2.20'] }, 'gone.example': { a: ['192.0.2.21'] } };
  const zones: Record<string, Zone[string]> = { ...names, '_sip._udp.trunk.example': { srv: ['1 0 5060 a.example'] } };
  const own = await startNameServer(zones);
  t.after(() => own.close());
  const trunks = createResolver({ servers: [own.address], hostsPath: '', timeoutMs: 100, nowMs: () => nowMs });
  const all = () => Promise.all([...Object.keys(names).map((name) => trunks.addresses(name))]);
  const services = async () => (await trunks.services('_sip._udp.trunk.example')).map(({ name }) => name);
  assert.deepEqual(await all(), [['192.0.2.20'], ['192.0.2.21']]);
  assert.deepEqual(await services(), ['a.example']);
  delete zones['gone.example'];
  for (const name of ['trunk.example', '_sip._udp.trunk.example']) zones[name] = { silent: true };
  nowMs = 30_000;
  assert.deepEqual(await all(), [['192.0.2.20'], []]);
  assert.deepEqual(await services(), ['a.example']);
  const count = own.asked.length;
  nowMs += 29_999;
  assert.deepEqual(await services(), ['a.example']);
  assert.equal(own.asked.length, count, 'nobody waits for a dead name server at once again');
  nowMs = 3 * 24 * 3_600_000;
  assert.deepEqual(await services(), []);
});

test('no more than 200 questions are open at once, and the names kept are bounded', async () => {
  const { addresses } = wrap(resolver());
  const names = Array.from({ length: 1_500 }, (_, at) => `n${at}.example.com`);
  const before = server.asked.length;
  const answers = await Promise.all(names.map((name) => addresses(name)));
  assert.equal(answers.flat().length, 0);
  assert.ok(server.asked.length - before <= 200 * 2 * 2, `${server.asked.length - before} questions`);
});

/** `addresses` as a function of its own. */
function wrap(resolver: ReturnType<typeof createResolver>) {
  return { addresses: (host: string) => resolver.addresses(host) };
}
