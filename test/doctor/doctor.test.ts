/** What the doctor finds, each with its cure; the relay of the tests stands in for rtpengine. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certificateFileFindings } from '../../src/doctor/certificate-files.ts';
import { dataDirFindings } from '../../src/doctor/data-dir.ts';
import { databaseFindings } from '../../src/doctor/database.ts';
import { finding, findingsOf } from '../../src/doctor/finding.ts';
import { fileFindings } from '../../src/doctor/host.ts';
import { listenerFindings } from '../../src/doctor/listeners.ts';
import { nameFindings } from '../../src/doctor/names.ts';
import { nodeFindings } from '../../src/doctor/nodes.ts';
import { relayFindings } from '../../src/doctor/relays.ts';
import { settingFindings } from '../../src/doctor/settings.ts';
import { tokenFindings } from '../../src/doctor/tokens.ts';
import type { Finding } from '../../src/engine/operations.ts';
import { Failure } from '../../src/errors.ts';
import type { Listener, NgCommand, Transport } from '../../src/ports.ts';
import { newFolder } from '../start/folder.ts';
import { createClock } from '../support/clock.ts';
import { createMediaRelayFake, type MediaSwitches } from '../support/media-relay-fake.ts';
import { realRandom } from '../support/rtpengine.ts';

function listener(transport: Transport, address: string, advertised = address): Listener {
  const local = { address, port: 5060 };
  return {
    index: 0,
    entry: `${transport}:${address}:5060`,
    transport,
    local,
    advertised: { host: advertised, port: 5060 },
  };
}

/** `level words`, those that are not ok. */
const wrong = (findings: readonly Finding[]): readonly string[] => {
  for (const { level, cure } of findings) assert.ok(level === 'ok' || cure.length > 5, 'each has its cure');
  return findings.flatMap(({ level, says }) => (level === 'ok' ? [] : [`${level}: ${says}`]));
};

test('a look that fails is said, and hides nothing of what the others find', async () => {
  const found = await findingsOf({
    clock: () => [finding('clock', 'ok', 'The clock is right.', '')],
    dns: () => Promise.reject(new Error('no answer')),
    host: () => {
      throw new Error('no /proc');
    },
  });
  assert.deepEqual(
    found.map(({ check, level, says }) => [check, level, says]),
    [
      ['clock', 'ok', 'The clock is right.'],
      ['dns', 'error', 'This could not be looked at: no answer'],
      ['host', 'error', 'This could not be looked at: no /proc'],
    ],
  );
});

test('a setting whose name is misspelt is said, with the one that was meant', () => {
  const misspelt = [{ name: 'MAX_CALL', meant: 'MAX_CALLS' }];
  assert.deepEqual(wrong(settingFindings({ misspelt })), ['warning: MAX_CALL is no setting; MAX_CALLS is one.']);
});

test('a certificate that was renewed on the disk, or broken there, is told before it runs out or a start fails', async () => {
  const look = async (read: () => Promise<readonly string[]>) =>
    wrong(await certificateFileFindings({ certificateFiles: { inUse: ['[server:default]: until May'], read } }));
  const broken = new Failure('tls-config', 'tls.cfg line 3: private_key: it is not the key of the certificate');
  assert.deepEqual(await look(async () => ['[server:default]: until May']), []);
  assert.match(
    (await look(async () => ['[server:default]: until July'])).join(),
    /^warning: .* have changed on the disk/,
  );
  assert.match(
    (await look(() => Promise.reject(broken))).join(),
    /^error: A restart would fail; .* line 3: private_key/,
  );
  assert.deepEqual(await certificateFileFindings({}), [], 'no TLS_CFG');
});

test('a DATA_DIR that cannot be written any more is told before the next start fails', (t) => {
  const dataDir = newFolder(t);
  assert.deepEqual(dataDirFindings({ dataDir }), []);
  const file = join(dataDir, 'file');
  writeFileSync(file, '');
  assert.match(
    wrong(dataDirFindings({ dataDir: file })).join(),
    /^error: A restart would fail\. DATA_DIR cannot be used/,
  );
});

describe('listeners and advertised addresses', () => {
  test('on loopback only this machine comes', () => {
    assert.deepEqual(wrong(listenerFindings([listener('udp', '127.0.0.1')])), [
      'notice: Only this machine can reach Viaduct.',
    ]);
  });

  test('a private address in our messages is said, a public one is well', () => {
    const secure = listener('wss', '10.0.0.5', '203.0.113.7');
    assert.deepEqual(wrong(listenerFindings([listener('udp', '10.0.0.5', '203.0.113.7'), secure])), []);
    assert.deepEqual(wrong(listenerFindings([listener('udp', '10.0.0.5'), secure])), [
      'notice: Our messages name 10.0.0.5, a private address.',
    ]);
  });

  test('without wss no browser on another machine can call', () => {
    assert.match(wrong(listenerFindings([listener('udp', '203.0.113.7')])).join(), /no wss listener/);
  });
});

describe('the keys of an identity server', () => {
  const look = (known: number, failed?: string) =>
    wrong(tokenFindings({ tokens: { keys: () => ({ known, failed }) } }));

  test('where no tokens are taken there is nothing to say; where they are, how many keys there are', () => {
    assert.deepEqual(tokenFindings({}), []);
    assert.match(
      tokenFindings({ tokens: { keys: () => ({ known: 2, failed: undefined }) } })[0]?.says ?? '',
      /has 2 keys/,
    );
  });

  test('keys that cannot be read are a warning while others are known, and an error without any', () => {
    assert.deepEqual(look(1, 'it answers 503'), ['warning: JWT_KEYS cannot be read: it answers 503.']);
    assert.deepEqual(look(0, 'it answers 503'), ['error: JWT_KEYS cannot be read: it answers 503.']);
  });
});

describe('other nodes over the same database', () => {
  const node = (id: string, silentSeconds: number) => ({
    id,
    address: `tcp:10.0.0.${id}:5060`,
    isSelf: id === '1',
    silentSeconds,
  });

  test('without NODE_ADDRESS nothing is said', () => {
    assert.deepEqual(nodeFindings({ nodes: [] }), []);
  });

  test('who is there, and who is late', () => {
    assert.deepEqual(wrong(nodeFindings({ nodes: [node('1', 0), node('2', 1), node('3', 8)] })), [
      'warning: Node 3 has said nothing for 8 s.',
    ]);
    assert.match(wrong(nodeFindings({ nodes: [node('1', 0)] })).join(), /^notice: This is the only node/);
    const [found] = nodeFindings({ nodes: [node('1', 0), node('2', 1)] });
    assert.equal(
      found?.says,
      'Others reach this node at tcp:10.0.0.1:5060; 1 other node is there: 2 at tcp:10.0.0.2:5060.',
    );
  });
});

describe('DNS of the domains', () => {
  const look = async (addresses: readonly string[], domain = 'sip.example.com') =>
    wrong(
      await nameFindings({
        domains: [domain],
        listeners: [listener('udp', '10.0.0.5', '203.0.113.7')],
        local: ['10.0.0.5'],
        resolver: { addresses: async (host) => (isIP(host) === 0 ? addresses : [host]) },
      }),
    );

  test('one that leads to our advertised address, or to one of this host, is well', async () => {
    assert.deepEqual(await look(['203.0.113.7']), []);
    assert.deepEqual(await look(['10.0.0.5']), []);
  });

  test('one that leads elsewhere, or nowhere, is said', async () => {
    assert.match((await look(['198.51.100.1'])).join(), /warning: .* leads to 198\.51\.100\.1/);
    assert.match((await look([])).join(), /warning: .* has no address/);
  });

  test('a name in ADVERTISE leads where it leads, for it is our word; one without an address is said', async () => {
    const byName = async (addresses: readonly string[]) =>
      wrong(
        await nameFindings({
          domains: ['example.com'],
          listeners: [listener('udp', '10.0.0.5', 'sip.example.com')],
          local: ['10.0.0.5'],
          resolver: { addresses: async () => addresses },
        }),
      );
    assert.deepEqual(await byName(['203.0.113.7']), []);
    assert.match((await byName([])).join(), /warning: sip\.example\.com has no address/);
  });

  test('an address literal is not looked up', async () => {
    assert.deepEqual(await look([], '203.0.113.7'), []);
  });
});

test('open files: few are a warning before it hurts; when nearly all are in use no connection comes in, which no log tells', () => {
  assert.deepEqual(wrong(fileFindings(65_536, 900)), []);
  assert.match(wrong(fileFindings(1_024, 30)).join(), /^warning: This process may have 1024 files open/);
  assert.match(wrong(fileFindings(1_024, 1_000)).join(), /^error: 1000 of 1024 files are open: new connections/);
});

describe('the database and its clock', () => {
  const about = async (skewMs: number) => ({ nowMs: 1_000_000 + skewMs, version: '15.18', migrations: 8 });

  test('is well when it answers and its clock agrees', async () => {
    assert.deepEqual(
      wrong(await databaseFindings({ database: { about: () => about(300) }, nowMs: () => 1_000_000 })),
      [],
    );
  });

  test('a clock that differs makes registrations expire early or late', async () => {
    const found = await databaseFindings({ database: { about: () => about(-9_000) }, nowMs: () => 1_000_000 });
    assert.match(wrong(found).join(), /warning: The clocks .* differ by 9 s/);
  });

  test('one that does not answer is an error', async () => {
    const database = { about: () => Promise.reject(new Failure('database-down')) };
    assert.match(wrong(await databaseFindings({ database, nowMs: () => 0 })).join(), /^error: The database/);
  });
});

describe('rtpengine, by a canary', () => {
  const outside = [listener('udp', '203.0.113.7')];
  const ports = { min: 30_000, max: 39_999, used: 0, free: 10_000 };
  const names: Readonly<Record<string, readonly string[]>> = {
    'sip.example.com': ['203.0.113.7'],
    'sip.office.example.com': ['172.31.5.6'],
  };

  async function look(
    switches: Partial<MediaSwitches> = {},
    listeners = outside,
    range = ports,
    address?: string,
  ): Promise<readonly string[]> {
    const statistics = { interfaces: [{ name: 'default', ports: range }] };
    const media = createMediaRelayFake(createClock(), {
      freePorts: 9_000,
      ...switches,
      reply: (command, reply) =>
        command.command === 'statistics'
          ? { ...reply, statistics }
          : (switches.reply ?? ((_, same) => same))(command, reply),
    });
    const nodes = () => media.nodes().map((node) => ({ ...node, address: address ?? node.address }));
    const found = await relayFindings({
      media: { ...media, nodes },
      random: realRandom,
      listeners,
      local: ['203.0.113.50'],
      resolver: { addresses: async (host) => (isIP(host) === 0 ? (names[host] ?? []) : [host]) },
      ephemeral: [32_768, 60_999],
      mark: 'n1',
    });
    assert.deepEqual(media.calls(), [], 'law 3: a canary leaves nothing behind');
    assert.deepEqual(media.mistakes, []);
    return wrong(found);
  }

  test('one that answers with an address of this host is well', async () => {
    assert.deepEqual(await look(), []);
  });

  test('its version stands in an SDP that it makes itself; one that does not tell is asked by hand', async () => {
    const telling = (sdp: string) =>
      look({ reply: (command, reply) => (command.command === 'publish' ? { ...reply, sdp } : reply) });
    assert.deepEqual(await telling('v=0\r\ns=rtpengine-13.5.1.2\r\n'), []);
    assert.match((await telling('v=0\r\ns=-\r\n')).join(), /notice: .* does not tell its version/);
  });

  test('ports that the system gives to others: calls would fail now and then', async () => {
    const range = { ...ports, min: 30_000, max: 39_999 };
    assert.match(
      (await look({}, outside, range, 'udp:127.0.0.1:22222')).join(),
      /notice: .* overlap those that the system gives/,
    );
    assert.deepEqual(await look({}, outside, { ...range, min: 20_000, max: 29_999 }, 'udp:127.0.0.1:22222'), []);
    assert.deepEqual(await look({}, outside, range), [], 'nobody knows those of another host');
  });

  test('none at all: calls are refused', async () => {
    assert.match((await look({ nodes: {} })).join(), /error: There is no rtpengine/);
  });

  test('one that does not answer', async () => {
    const silent = { refuse: () => 'media-timeout' as const, refusal: '' };
    assert.match(
      (await look(silent)).join(),
      /error: .* does not answer a test offer: rtpengine did not answer in time/,
    );
  });

  test('"Ran out of ports" while thousands are free: it cannot bind its address', async () => {
    const busy = { refuse: () => 'media-busy' as const, refusal: 'Ran out of ports' };
    assert.match((await look(busy)).join(), /error: .* while 9000 are free: it cannot bind its interface address/);
  });

  const named = (address: string): Partial<MediaSwitches> => ({
    reply: (_, reply) =>
      typeof reply.sdp === 'string' ? { ...reply, sdp: reply.sdp.replaceAll('203.0.113.50', address) } : reply,
  });

  test('media to a loopback address: others hear nothing', async () => {
    assert.match((await look(named('127.0.0.1'))).join(), /error: .* sends media to 127\.0\.0\.1: others hear nothing/);
    assert.deepEqual(await look(named('127.0.0.1'), [listener('udp', '127.0.0.1')]), []);
  });

  test('media to a private address, while we advertise a public one', async () => {
    const error = /error: .* 172\.31\.5\.6, a private address/;
    assert.match((await look(named('172.31.5.6'))).join(), error);
    const byName = (name: string) => look(named('172.31.5.6'), [listener('udp', '172.31.5.6', name)]);
    assert.match((await byName('sip.example.com')).join(), error, 'also by a name');
    assert.deepEqual(await byName('sip.office.example.com'), [], 'a name of the local network');
  });

  test('media to an address that this host does not have: well where it is the one that we advertise', async () => {
    const here = 'udp:127.0.0.1:22222';
    const nat = { ...ports, min: 20_000, max: 29_999 };
    assert.deepEqual(await look(named('203.0.113.7'), outside, nat, here), []);
    assert.match((await look(named('203.0.113.8'), outside, nat, here)).join(), /notice: .* names 203\.0\.113\.8/);
  });

  test('large datagrams get lost: small commands are answered, an offer of a browser is not', async () => {
    const refuse = (command: NgCommand) =>
      'sdp' in command && command.sdp.length > 2_000 ? ('media-timeout' as const) : undefined;
    assert.match((await look({ refuse })).join(), /error: .* not large ones/);
  });

  test('few ports are left', async () => {
    assert.match(
      (await look({}, outside, { ...ports, used: 9_000, free: 1_000 })).join(),
      /warning: .* Less than a fifth/,
    );
  });
});
