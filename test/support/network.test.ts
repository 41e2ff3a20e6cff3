import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Flow } from '../../src/ports.ts';
import { createClock } from './clock.ts';
import { createNetwork, type Station, type StationOptions, type VirtualNetwork, type Weather } from './network.ts';
import { createRandom } from './random.ts';

interface Stage {
  readonly network: VirtualNetwork;
  readonly advance: (ms: number) => Promise<void>;
  /** What reached the proxy: texts, and `closed: reason`. */
  readonly proxy: string[];
  readonly flows: Flow[];
  readonly station: (options: Partial<StationOptions>) => {
    readonly station: Station;
    readonly got: readonly string[];
  };
}

function stage(weather: Partial<Weather> = {}, seed = 1): Stage {
  const clock = createClock(0);
  const listen = ['udp:192.0.2.100:5060', 'tcp:192.0.2.100:5060', 'ws:[2001:db8::100]:8080'];
  const network = createNetwork({ clock, random: createRandom(seed), listen, weather });
  const proxy: string[] = [];
  const flows: Flow[] = [];
  network.attach({
    message: (text, flow) => {
      proxy.push(text);
      flows.push(flow);
    },
    closed: (flow, reason) => proxy.push(`closed ${flow.id}: ${reason}`),
  });
  const station: Stage['station'] = (options) => {
    const got: string[] = [];
    const address = { address: '192.0.2.1', port: 5060 };
    const rest = { received: (text: string) => got.push(text), disconnected: (reason: string) => got.push(reason) };
    return { station: network.station({ name: 'alice', transport: 'udp', address, ...rest, ...options }), got };
  };
  return { network, proxy, flows, station, advance: clock.advance };
}

function firstFlow({ flows }: Stage): Flow {
  const [flow] = flows;
  assert.ok(flow !== undefined, 'a flow');
  return flow;
}

test('virtual network: a UDP flow is listener, address and port; it is found by its id at any time', async () => {
  const it = stage();
  const { station, got } = it.station({});
  station.send('hello');
  await it.advance(1);
  const flow = firstFlow(it);
  assert.deepEqual([flow.id, flow.inbound, it.proxy], ['u0:192.0.2.1:5060', false, ['hello']]);
  assert.equal(it.network.find(flow.id), flow);
  assert.equal(it.network.find('u1:192.0.2.1:5060'), undefined, 'that listener is not UDP');
  assert.equal(it.network.send(flow, 'answer'), true);
  await it.advance(1);
  assert.deepEqual(got, ['answer']);
});

test('virtual network: a connection is opened by the first message, and found while it is open', async () => {
  const it = stage();
  const { station, got } = it.station({ transport: 'ws', address: { address: '2001:db8::1', port: 50000 } });
  station.send('one');
  await it.advance(1);
  const flow = firstFlow(it);
  assert.deepEqual([flow.id, flow.inbound, flow.listener.local.address], ['cb00700-1', true, '2001:db8::100']);
  assert.equal(it.network.find(flow.id), flow);
  assert.equal(it.network.statistics().connections.ws, 1);
  it.network.send(flow, 'last words');
  it.network.close(flow);
  assert.equal(it.network.send(flow, 'too late'), false);
  assert.equal(it.network.find(flow.id), undefined);
  await it.advance(2);
  assert.deepEqual(got, ['last words', 'closed by the proxy']);
});

test('virtual network: a station that closes is reported after what it sent; its next message is a new connection', async () => {
  const it = stage({ maxDelayMs: 9 });
  const { station } = it.station({ transport: 'tcp' });
  station.send('one');
  station.close('page closed');
  station.send('two');
  await it.advance(50);
  assert.deepEqual(it.proxy.slice(0, 2).sort(), ['closed cb00700-1: page closed', 'one'].sort());
  assert.ok(it.proxy.indexOf('one') < it.proxy.indexOf('closed cb00700-1: page closed'));
  assert.deepEqual(
    it.flows.map((flow) => flow.id),
    ['cb00700-1', 'cb00700-2'],
  );
});

test('virtual network: a frozen station swallows everything and nobody is told', async () => {
  const it = stage();
  const { station, got } = it.station({ transport: 'tcp' });
  station.send('one');
  await it.advance(1);
  station.freeze();
  assert.equal(it.network.send(firstFlow(it), 'INVITE'), true);
  station.send('nothing');
  await it.advance(10);
  assert.deepEqual([got, it.proxy], [[], ['one']]);
  station.thaw();
  it.network.send(firstFlow(it), 'again');
  await it.advance(1);
  assert.deepEqual(got, ['again']);
});

test('virtual network: the proxy dials what listens, re-uses that connection, and is told when nobody does', async () => {
  const it = stage();
  const [, tcp, ws] = it.network.listeners;
  assert.ok(tcp !== undefined && ws !== undefined);
  const trunk = { address: '198.51.100.1', port: 5060 };
  const { got } = it.station({ name: 'trunk', transport: 'tcp', address: trunk, dialable: true });
  const flow = it.network.connect(tcp, trunk);
  assert.ok(flow !== undefined && !flow.inbound);
  assert.equal(it.network.connect(tcp, trunk), flow);
  it.network.send(flow, 'INVITE');
  const dead = it.network.connect(tcp, { address: '198.51.100.2', port: 5060 });
  assert.ok(dead !== undefined);
  assert.equal(it.network.send(dead, 'INVITE'), true, 'what is sent meanwhile waits');
  await it.advance(5);
  assert.deepEqual([got, it.proxy], [['INVITE'], [`closed ${dead.id}: connection refused`]]);
  assert.equal(it.network.connect(ws, trunk), undefined);
});

test('virtual network: datagrams are lost, doubled and overtaken by seed; one seed gives one run', async () => {
  const run = async (seed: number): Promise<readonly string[]> => {
    const it = stage({ loss: 0.2, duplication: 0.2, reordering: 0.3, lateMs: 50, maxDelayMs: 10 }, seed);
    const { station } = it.station({});
    for (let number = 0; number < 200; number++) station.send(String(number));
    await it.advance(1000);
    assert.equal(it.network.inFlight(), 0);
    return it.proxy;
  };
  const first = await run(3);
  assert.deepEqual(await run(3), first);
  assert.notDeepEqual(await run(4), first);
  const kinds = new Set(first);
  assert.ok(kinds.size < 190 && kinds.size > 130, `${kinds.size} of 200 arrived`);
  assert.ok(first.length > kinds.size + 10, 'some arrived twice');
  assert.notDeepEqual(
    first,
    first.toSorted((a, b) => Number(a) - Number(b)),
    'some overtook others',
  );
});

test('virtual network: connections lose nothing and keep their order in any weather', async () => {
  const it = stage({ loss: 0.5, duplication: 0.5, reordering: 0.5, maxDelayMs: 20 });
  const { station } = it.station({ transport: 'tcp' });
  const sent = Array.from({ length: 100 }, (_, number) => String(number));
  for (const text of sent) station.send(text);
  await it.advance(1000);
  assert.deepEqual(it.proxy, sent);
});
