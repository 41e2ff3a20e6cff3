import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NextHops } from '../../src/engine/next-hop.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Flow, Listener, Network, SocketAddress, Transport } from '../../src/ports.ts';
import { flowOf, listenerOf } from '../support/fake-proxy.ts';

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

const names: Readonly<Record<string, readonly string[]>> = {
  'example.org': ['203.0.113.9'],
  'v6.example.org': ['2001:db8::9'],
};

/** Next hops over these listeners; `dialled` is what the network was asked to connect to. */
function create(listeners: readonly Listener[] = everywhere, open: readonly Flow[] = []) {
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
  const isNumeric = (host: string): boolean => host.includes(':') || /^[\d.]+$/.test(host);
  const addresses = async (host: string) => (isNumeric(host) ? [host] : (names[host.toLowerCase()] ?? []));
  return { hops: new NextHops(network, { addresses }), dialled };
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

describe('DESIGN law 4: a known flow', () => {
  const flow: Flow = { ...flowOf('wss', '192.0.2.7', 40_000), id: 'c00b007-9' };
  const target = { uri: 'sip:x7@ab12.invalid;transport=ws', flowId: flow.id };

  test('is used, whatever Request-URI and Route say', async () => {
    const { hops, dialled } = create(everywhere, [flow]);
    assert.equal(await hops.flowTo(target, 'sip:edge.example.org;lr', flowOf()), flow);
    assert.deepEqual(dialled, []);
  });

  test('that is closed fails the branch; nothing is dialled or resolved instead', async () => {
    const { hops, dialled } = create();
    await assert.rejects(hops.flowTo({ ...target, uri: 'sip:bob@example.org' }, undefined, flowOf()), {
      code: 'flow-gone',
    });
    assert.deepEqual(dialled, []);
  });
});

describe('RFC 3261 §16.6 step 7: the next hop', () => {
  test('is the first Route if there is one, else the Request-URI', async () => {
    const { hops, dialled } = create();
    const target = { uri: 'sip:bob@203.0.113.5:5070' };
    await hops.flowTo(target, 'sip:203.0.113.6;lr', flowOf());
    await hops.flowTo(target, undefined, flowOf());
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
