import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NextHops } from '../../../src/engine/proxy/next-hop.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Flow, Listener, Network, SocketAddress, Transport } from '../../../src/ports.ts';
import { createClock } from '../../support/clock.ts';
import { flowOf, listenerOf } from '../../support/fake-proxy.ts';
import { createNames, type Names } from '../../support/names.ts';
import { createRandom } from '../../support/random.ts';

interface Dialled {
  readonly listener: number;
  readonly remote: SocketAddress;
  readonly serverName: string | undefined;
}

const everywhere: readonly Listener[] = [
  listenerOf('udp', 0),
  listenerOf('tcp', 1),
  listenerOf('tls', 2, '192.0.2.100', 5061),
  listenerOf('wss', 3, '192.0.2.100', 8443),
  listenerOf('udp', 4, '198.51.100.1'),
  listenerOf('udp', 5, '2001:db8::100'),
];

const names: Names = {
  addresses: {
    'example.org': ['203.0.113.9'],
    'v6.example.org': ['2001:db8::9'],
    'one.example.net': ['203.0.113.1'],
    'two.example.net': ['203.0.113.2', '2001:db8::2'],
    'plain.example.net': ['203.0.113.3'],
    'none.example.net': ['203.0.113.4'],
    'safe.example.net': ['203.0.113.5'],
  },
  srv: {
    '_sip._udp.example.net': ['20 0 5062 two.example.net', '10 0 5061 one.example.net'],
    '_sip._tcp.example.net': ['10 0 5063 one.example.net'],
    '_sips._tcp.example.net': ['10 0 5064 two.example.net'],
    '_sip._udp.many.example.net': Array.from({ length: 50 }, (_, at) => `0 0 ${5000 + at} one.example.net`),
    '_sip._tcp.pbx.example.net': ['0 0 5080 one.example.net'],
    '_sip._udp.none.example.net': ['0 0 0 .'],
  },
  naptr: {
    'example.net': [
      '90 50 SIP+D2S _sip._sctp.example.net',
      '100 20 SIP+D2U _sip._udp.example.net',
      '100 10 SIP+D2T _sip._tcp.example.net',
    ],
    'safe.example.net': ['10 10 SIPS+D2T _sips._tcp.safe.example.net'],
  },
};

/** Next hops over these listeners; `dialled` is what the network was asked to connect to. */
function create(listeners: readonly Listener[] = everywhere, open: readonly Flow[] = []) {
  const clock = createClock();
  const dialled: Dialled[] = [];
  const network: Network = {
    listeners,
    send: () => true,
    find: (id) => open.find((flow) => flow.id === id),
    connect: (listener, remote, serverName) => {
      dialled.push({ listener: listener.index, remote, serverName });
      const { transport } = listener;
      return transport === 'ws' || transport === 'wss' ? undefined : { ...flowOf(transport), listener, remote };
    },
    close: () => undefined,
    statistics: () => ({ connections: { tcp: 0, tls: 0, ws: 0, wss: 0 }, dropped: {} }),
  };
  const hops = new NextHops({ network, resolver: createNames(names), clock, random: createRandom(1) });
  return { hops, dialled, clock };
}

async function goesTo(uri: string, expected: Partial<Dialled>, from: Listener = listenerOf('udp', 0)): Promise<void> {
  const { hops, dialled } = create();
  await hops.toUri(uri, from);
  assert.equal(dialled.length, 1, uri);
  assert.deepEqual({ ...dialled[0], ...expected }, dialled[0], uri);
}

async function fails(uri: string, code: ErrorCode, listeners = everywhere): Promise<void> {
  await assert.rejects(create(listeners).hops.toUri(uri, listenerOf('udp', 0)), { code }, uri);
}

const from = listenerOf('udp', 0);

describe('DESIGN law 4: a known flow', () => {
  const flow: Flow = { ...flowOf('wss', '192.0.2.7', 40_000), id: 'c00b007-9' };
  const target = { uri: 'sip:x7@ab12.invalid;transport=ws', flowId: flow.id };

  test('is used, whatever Request-URI and Route say', async () => {
    const { hops, dialled } = create(everywhere, [flow]);
    assert.equal((await hops.hopTo(target, 'sip:edge.example.org;lr', from)).flow, flow);
    assert.deepEqual(dialled, []);
  });

  test('that is closed fails the branch; nothing is dialled or resolved instead', async () => {
    const { hops, dialled } = create();
    await assert.rejects(hops.hopTo({ ...target, uri: 'sip:bob@example.org' }, undefined, from), {
      code: 'flow-gone',
    });
    assert.deepEqual(dialled, []);
  });
});

describe('RFC 3261 §16.6 step 7: the next hop', () => {
  test('is the first Route if there is one, else the Request-URI', async () => {
    const { hops, dialled } = create();
    const target = { uri: 'sip:bob@203.0.113.5:5070' };
    await hops.hopTo(target, 'sip:203.0.113.6;lr', from);
    await hops.hopTo(target, undefined, from);
    assert.deepEqual(
      dialled.map(({ remote }) => remote),
      [
        { address: '203.0.113.6', port: 5060 },
        { address: '203.0.113.5', port: 5070 },
      ],
    );
  });

  test('RFC 3263 §4.1: its transport comes from the URI: UDP when it says nothing, TLS for sips', async () => {
    const transports: readonly (readonly [string, Transport, number])[] = [
      ['sip:203.0.113.5', 'udp', 5060],
      ['sip:203.0.113.5;transport=UDP', 'udp', 5060],
      ['sip:203.0.113.5;transport=tcp', 'tcp', 5060],
      ['sip:203.0.113.5;transport=TLS', 'tls', 5061],
      ['sips:203.0.113.5', 'tls', 5061],
      ['sips:203.0.113.5;transport=tcp', 'tls', 5061],
      ['sip:203.0.113.5;transport=sctp', 'udp', 5060],
    ];
    for (const [uri, transport, port] of transports) {
      const listener = everywhere.findIndex((one) => one.transport === transport);
      await goesTo(uri, { listener, remote: { address: '203.0.113.5', port } });
    }
  });

  test('a name is resolved, and the one that its certificate must show; an address has none', async () => {
    await goesTo('sips:bob@Example.org', { remote: { address: '203.0.113.9', port: 5061 }, serverName: 'example.org' });
    await goesTo('sips:bob@203.0.113.9', { serverName: undefined });
    await goesTo('sip:[2001:db8::9]', { serverName: undefined });
  });

  test('leaves by the listener that the request came by if that one fits, else by the first that does', async () => {
    await goesTo('sip:203.0.113.5', { listener: 4 }, listenerOf('udp', 4, '198.51.100.1'));
    await goesTo('sip:203.0.113.5', { listener: 0 }, listenerOf('wss', 3));
    await goesTo('sip:203.0.113.5;transport=tcp', { listener: 1 }, listenerOf('udp', 4, '198.51.100.1'));
  });

  test('leaves by a listener of its address family', async () => {
    await goesTo('sip:bob@[2001:db8::9]:5090', { listener: 5, remote: { address: '2001:db8::9', port: 5090 } });
    await goesTo('sip:bob@v6.example.org', { listener: 5, remote: { address: '2001:db8::9', port: 5060 } });
    await goesTo('sip:203.0.113.5', { listener: 0 }, listenerOf('udp', 5, '2001:db8::100'));
  });
});

describe('DESIGN law 8: why a target cannot be reached', () => {
  test('a domain that is not to be found', () => fails('sip:bob@nowhere.example', 'foreign-target'));

  test('no listener of its transport or address family', async () => {
    await fails('sip:203.0.113.5;transport=tcp', 'no-listener', [listenerOf('udp', 0)]);
    await fails('sip:[2001:db8::9]', 'no-listener', [listenerOf('udp', 0)]);
  });

  test('RFC 7118 §5: a WebSocket client cannot be dialled', () =>
    fails('sips:bob@203.0.113.5;transport=ws', 'flow-gone'));

  test('a scheme that has no next hop', () => fails('tel:+4930', 'uri-scheme'));
});

describe('RFC 3263 §4: the servers of a domain', () => {
  async function servers(uri: string, { hops } = create()): Promise<readonly string[]> {
    const ways = await hops.ways(uri, from);
    return ways.map(({ listener, remote }) => `${listener.transport} ${remote.address} ${remote.port}`);
  }

  test('§4.1: its NAPTR records choose the transport, in their order; one that we do not speak is passed over', async () =>
    assert.deepEqual(await servers('sip:bob@example.net'), [
      'tcp 203.0.113.1 5063',
      'udp 203.0.113.1 5061',
      'udp 203.0.113.2 5062',
      'udp 2001:db8::2 5062',
    ]));

  test('§4.1: without NAPTR the SRV records of what we speak are asked for', async () =>
    assert.deepEqual(await servers('sip:pbx.example.net'), ['tcp 203.0.113.1 5080']));

  test('§4.1: a transport in the URI is settled, and sips goes over TLS alone', async () => {
    assert.deepEqual((await servers('sip:bob@example.net;transport=udp'))[0], 'udp 203.0.113.1 5061');
    assert.deepEqual(await servers('sips:bob@example.net'), ['tls 203.0.113.2 5064']);
  });

  test('§4.2: a port in the URI settles the host too: no SRV, UDP', async () =>
    assert.deepEqual(await servers('sip:plain.example.net:5070'), ['udp 203.0.113.3 5070']));

  test('§4.2: with neither NAPTR nor SRV it is the host itself at the default port', async () =>
    assert.deepEqual(await servers('sip:plain.example.net'), ['udp 203.0.113.3 5060']));

  test('§4.1: a domain whose NAPTR records choose TLS, without SRV, is the host itself by TLS: never in the clear', async () =>
    assert.deepEqual(await servers('sip:bob@safe.example.net'), ['tls 203.0.113.5 5061']));

  test('§4: maddr is what is asked for in place of the host', async () => {
    assert.deepEqual(await servers('sip:bob@nowhere.example;maddr=203.0.113.7'), ['udp 203.0.113.7 5060']);
    assert.deepEqual(await servers('sip:bob@nowhere.example;maddr=pbx.example.net'), ['tcp 203.0.113.1 5080']);
  });

  test('RFC 2782: a domain whose only SRV target is "." takes no calls, also where it has an address', () =>
    assert.rejects(create().hops.ways('sip:bob@none.example.net', from), { code: 'foreign-target' }));

  test('RFC 3261 §18.1.1: a server that did not take TCP is not asked by it again for 30 s', async () => {
    const { hops, dialled, clock } = create();
    const { flow, way } = hops.streamInstead(await hops.hopTo({ uri: 'sip:plain.example.net' }, undefined, from));
    assert.equal(flow.transport, 'tcp');
    assert.ok(way);
    hops.avoid(way);
    const again = () =>
      hops.hopTo({ uri: 'sip:plain.example.net' }, undefined, from).then((hop) => hops.streamInstead(hop));
    const count = dialled.length;
    assert.equal((await again()).flow.transport, 'udp');
    assert.equal(dialled.length, count + 1, 'the datagram alone');
    await clock.advance(30_000);
    assert.equal((await again()).flow.transport, 'tcp');
  });

  test('RFC 5922 §4: the certificate must show the domain of the URI, not the host that the DNS named', async () => {
    const [way] = await create().hops.ways('sips:bob@example.net', from);
    assert.equal(way.serverName, 'example.net');
  });

  test('RFC 6066 §3: the name of a server is without the dot of the root', () =>
    goesTo('sips:bob@example.net.', { serverName: 'example.net' }));

  test('§4.3: a server that failed stands last for 30 s', async () => {
    const stage = create();
    const [first] = await stage.hops.ways('sip:bob@example.net', from);
    stage.hops.avoid(first);
    assert.deepEqual((await servers('sip:bob@example.net', stage)).at(-1), 'tcp 203.0.113.1 5063');
    await stage.clock.advance(30_000);
    assert.deepEqual((await servers('sip:bob@example.net', stage)).at(0), 'tcp 203.0.113.1 5063');
  });

  test('law 9: no more than 8 servers of one URI are tried', async () => {
    assert.equal((await servers('sip:many.example.net')).length, 8);
  });
});
