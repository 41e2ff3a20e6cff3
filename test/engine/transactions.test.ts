import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientUser } from '../../src/engine/live-transaction.ts';
import { type TransactionLimits, Transactions } from '../../src/engine/transactions.ts';
import { ackFor, cancelFor, createRequest, createResponse } from '../../src/message/build.ts';
import { removeAll } from '../../src/message/edit.ts';
import { get } from '../../src/message/header.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { ContentLength } from '../../src/message/headers/numbers.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../src/message/message.ts';
import type { Params } from '../../src/message/params.ts';
import type { Flow, Transport } from '../../src/ports.ts';
import { createClock, settle, type VirtualClock } from '../support/clock.ts';
import { createNetwork, type Station, type VirtualNetwork } from '../support/network.ts';
import { createRandom } from '../support/random.ts';
import { defaultListen } from '../support/scene.ts';

interface Office {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly transactions: Transactions;
  /** What left, in short: `500 bob INVITE`, with the milliseconds since the peer said hello. */
  readonly sent: readonly string[];
  /** What left, whole. */
  readonly texts: readonly string[];
  /** Of what left, as its story hears of it: `INVITE call-1`. */
  readonly told: readonly string[];
  peer(transport?: Transport, port?: number): Promise<Peer>;
}

interface Peer {
  readonly station: Station;
  /** How it is reached. */
  readonly flow: Flow;
}

function create(limits?: TransactionLimits): Office {
  const clock = createClock(0);
  const network = createNetwork({ clock, random: createRandom(1), listen: defaultListen });
  const told: string[] = [];
  const tell = (message: SipMessage): void =>
    void told.push(`${message.kind === 'request' ? message.method : message.status} ${get(message, CallId)}`);
  const transactions = new Transactions(clock, network, tell, limits);
  const sent: string[] = [];
  const texts: string[] = [];
  const flows: Flow[] = [];
  let helloMs = 0;
  network.watch(({ atMs, from, to, text }) => {
    if (from !== 'proxy') return;
    sent.push(`${atMs - helloMs} ${to} ${text.split(' ')[text.startsWith('SIP/2.0') ? 1 : 0]}`);
    texts.push(text);
  });
  network.attach({ message: (_, flow) => flows.push(flow), closed: (flow) => transactions.closed(flow) });
  const peer = async (transport: Transport = 'udp', port = 5060): Promise<Peer> => {
    const address = { address: '192.0.2.2', port };
    const station = network.station({ name: 'bob', transport, address, received: () => undefined });
    station.send('hello');
    await clock.advance(1);
    helloMs = clock.nowMs();
    const flow = flows.at(-1);
    assert.ok(flow !== undefined);
    return { station, flow };
  };
  return { clock, network, transactions, sent, texts, told, peer };
}

interface Parts {
  readonly branch?: string;
  readonly host?: string;
  readonly port?: number | undefined;
  readonly viaParams?: Params;
  readonly to?: string;
}

function request(method = 'INVITE', parts: Parts = {}): SipRequest {
  const { branch = 'z9hG4bK1', host = '192.0.2.1', port = 5060, viaParams = [], to = '<sip:bob@example.com>' } = parts;
  return createRequest({
    method,
    uri: 'sip:bob@192.0.2.2',
    via: { transport: 'UDP', host, port, params: [['branch', branch], ...viaParams] },
    from: '<sip:alice@example.com>;tag=a',
    to,
    callId: 'call-1',
    cseq: 1,
  });
}

const answer = (to: SipRequest, status: number): SipResponse => createResponse(to, status, { toTag: 'b' });

/** A user that notes what it is told. */
function listening(): ClientUser & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    response: ({ status }) => void told.push(String(status)),
    failed: (why) => void told.push(why),
    terminated: () => void told.push('terminated'),
  };
}

const nothing = { server: 0, client: 0 };

describe('client transactions', () => {
  test('RFC 3261 §17.1.1.2: an INVITE over UDP is repeated, byte for byte, by timer A until timer B gives up', async () => {
    const { transactions, clock, sent, texts, told, peer } = create();
    const { flow } = await peer();
    const user = listening();
    transactions.client(request(), flow, user);
    await clock.advance(31_999);
    assert.deepEqual(
      sent,
      [0, 500, 1500, 3500, 7500, 15_500, 31_500].map((ms) => `${ms} bob INVITE`),
    );
    assert.equal(new Set(texts).size, 1);
    assert.deepEqual(told, Array(7).fill('INVITE call-1'), 'each time its story hears of it');
    assert.deepEqual(user.told, []);
    await clock.advance(1);
    assert.deepEqual(user.told, ['timeout', 'terminated']);
    assert.deepEqual(transactions.counts, nothing);
    assert.equal(clock.pending(), 0);
  });

  test('RFC 3261 §17.1.2.2: another request is repeated by timer E until timer F gives up', async () => {
    const { transactions, clock, sent, peer } = create();
    const { flow } = await peer();
    const user = listening();
    transactions.client(request('MESSAGE'), flow, user);
    await clock.advance(32_000);
    const times = [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert.deepEqual(
      sent,
      times.map((ms) => `${ms} bob MESSAGE`),
    );
    assert.deepEqual(user.told, ['timeout', 'terminated']);
  });

  test('RFC 3261 §17.1.1.2: over a connection nothing is repeated', async () => {
    for (const transport of ['tcp', 'tls', 'ws', 'wss'] as const) {
      const { transactions, clock, sent, peer } = create();
      const { flow } = await peer(transport, 40_000);
      const user = listening();
      transactions.client(request(), flow, user);
      await clock.advance(32_000);
      assert.deepEqual(sent, ['0 bob INVITE'], transport);
      assert.deepEqual(user.told, ['timeout', 'terminated'], transport);
    }
  });

  test('RFC 3261 §17.1.1.3: a failure is passed up once, and acknowledged each time it comes', async () => {
    const { transactions, clock, sent, peer } = create();
    const { flow } = await peer();
    const user = listening();
    const invite = request();
    transactions.client(invite, flow, user);
    for (let count = 1; count <= 3; count++) assert.equal(transactions.response(answer(invite, 486)), true);
    assert.deepEqual(user.told, ['486']);
    assert.deepEqual(sent.slice(1), ['0 bob ACK', '0 bob ACK', '0 bob ACK']);
    await clock.advance(32_000);
    assert.deepEqual(user.told, ['486', 'terminated']);
    assert.equal(clock.pending(), 0);
  });

  test('RFC 6026 §7.2: each 2xx is passed up, also a repeated one, for 64*T1', async () => {
    const { transactions, clock, peer } = create();
    const { flow } = await peer();
    const user = listening();
    const invite = request();
    transactions.client(invite, flow, user);
    transactions.response(answer(invite, 200));
    await clock.advance(31_999);
    transactions.response(answer(invite, 200));
    assert.deepEqual(user.told, ['200', '200']);
    await clock.advance(1);
    assert.equal(transactions.response(answer(invite, 200)), false);
    assert.deepEqual(user.told, ['200', '200', 'terminated']);
  });

  test('RFC 3261 §17.1.3: a response is matched by branch and method; a stray one belongs to nobody', async () => {
    const { transactions, peer } = create();
    const { flow } = await peer();
    const user = listening();
    transactions.client(request(), flow, user);
    assert.equal(transactions.response(answer(request('INVITE', { branch: 'z9hG4bK2' }), 200)), false);
    assert.equal(transactions.response(answer(request('CANCEL'), 200)), false);
    assert.deepEqual(user.told, []);
  });

  test('RFC 3261 §17.1.4: when a connection closes, what waits for an answer over it fails, and nothing else', async () => {
    const office = create();
    const { transactions, clock, peer } = office;
    const [lost, kept] = [await peer('tcp', 40_000), await peer('tcp', 40_001)];
    const [first, second] = [listening(), listening()];
    transactions.client(request('INVITE'), lost.flow, first);
    transactions.client(request('INVITE', { branch: 'z9hG4bK2' }), kept.flow, second);
    lost.station.close();
    await clock.advance(1);
    assert.deepEqual(first.told, ['transport', 'terminated']);
    assert.deepEqual(second.told, []);
    assert.deepEqual(transactions.counts, { server: 0, client: 1 });
  });

  test('one that was abandoned, or has ended, hears nothing of its connection any more', async () => {
    const { transactions, peer } = create();
    const { flow } = await peer('tcp', 40_000);
    const [abandoned, ended, waiting] = [listening(), listening(), listening()];
    transactions.client(request(), flow, abandoned).abandon();
    const message = request('MESSAGE', { branch: 'z9hG4bK2' });
    transactions.client(message, flow, ended);
    transactions.response(answer(message, 200));
    transactions.client(request('INVITE', { branch: 'z9hG4bK3' }), flow, waiting);
    transactions.closed(flow);
    transactions.closed(flow);
    assert.deepEqual(
      [abandoned.told, ended.told, waiting.told],
      [['terminated'], ['200', 'terminated'], ['transport', 'terminated']],
    );
    assert.deepEqual(transactions.counts, nothing);
  });

  test('a flow that is closed already fails the request in a turn of its own, never from inside the call', async () => {
    const { transactions, clock, peer } = create();
    const { flow, station } = await peer('wss', 40_000);
    station.close();
    await clock.advance(1);
    const user = listening();
    transactions.client(request(), flow, user);
    assert.deepEqual(user.told, []);
    await settle();
    await clock.advance(0);
    assert.deepEqual(user.told, ['transport', 'terminated']);
    assert.equal(clock.pending(), 0);
  });

  test('RFC 3261 §16.6: one that is abandoned is forgotten at once, and its answer is stray', async () => {
    const { transactions, clock, peer } = create();
    const { flow } = await peer();
    const user = listening();
    const transaction = transactions.client(request(), flow, user);
    transaction.abandon();
    transaction.abandon();
    assert.deepEqual(user.told, ['terminated']);
    assert.equal(transactions.response(answer(request(), 200)), false);
    await clock.advance(1);
    assert.equal(clock.pending(), 0);
  });

  test('one that has its final response is not abandoned any more: the repeated one still gets its ACK', async () => {
    const { transactions, sent, peer } = create();
    const { flow } = await peer();
    const user = listening();
    const transaction = transactions.client(request(), flow, user);
    transactions.response(answer(request(), 486));
    transaction.abandon();
    transactions.response(answer(request(), 486));
    assert.deepEqual(sent.slice(1), ['0 bob ACK', '0 bob ACK']);
  });
});

describe('server transactions', () => {
  test('RFC 3261 §17.2.3: a repeated request is absorbed and answered with what was said last', async () => {
    const { transactions, sent, peer } = create();
    const { flow } = await peer();
    const invite = request('INVITE', { host: '192.0.2.2' });
    assert.equal(transactions.absorbed(invite), false);
    const server = transactions.server(invite, flow);
    server.respond(answer(invite, 180));
    assert.equal(transactions.absorbed(invite), true);
    assert.deepEqual(sent, ['0 bob 180', '0 bob 180']);
  });

  test('RFC 3261 §17.2.1: a failure is repeated, byte for byte, until its ACK, which is absorbed', async () => {
    const { transactions, clock, sent, texts, told, peer } = create();
    const { flow } = await peer();
    const invite = request('INVITE', { host: '192.0.2.2' });
    const failure = answer(invite, 486);
    let ended = 0;
    const server = transactions.server(invite, flow);
    server.onTerminated = () => void ended++;
    server.respond(failure);
    await clock.advance(1500);
    assert.equal(transactions.absorbed(ackFor(invite, failure)), true);
    await clock.advance(60_000);
    assert.deepEqual(
      sent,
      [0, 500, 1500].map((ms) => `${ms} bob 486`),
    );
    assert.equal(new Set(texts).size, 1);
    assert.deepEqual(told, Array(3).fill('486 call-1'));
    assert.equal(ended, 1);
    assert.deepEqual([transactions.counts, clock.pending()], [nothing, 0]);
  });

  test('RFC 3261 §17.2.1: a failure that is never acknowledged is given up after 64*T1', async () => {
    const { transactions, clock, peer } = create();
    const { flow } = await peer();
    const invite = request('INVITE', { host: '192.0.2.2' });
    transactions.server(invite, flow).respond(answer(invite, 486));
    await clock.advance(32_000);
    assert.deepEqual([transactions.counts, clock.pending()], [nothing, 0]);
  });

  test('RFC 3261 §9.2: a CANCEL finds its INVITE by branch and sent-by', async () => {
    const { transactions, peer } = create();
    const { flow } = await peer();
    const invite = request();
    const server = transactions.server(invite, flow);
    assert.equal(transactions.cancelled(cancelFor(invite)), server);
    assert.equal(transactions.cancelled(cancelFor(request('INVITE', { branch: 'z9hG4bK2' }))), undefined);
    assert.equal(transactions.cancelled(cancelFor(request('INVITE', { host: '192.0.2.66' }))), undefined);
  });

  test('a response after the end is not sent', async () => {
    const { transactions, clock, sent, peer } = create();
    const { flow } = await peer('tcp', 40_000);
    const message = request('MESSAGE');
    const server = transactions.server(message, flow);
    server.respond(answer(message, 200));
    await clock.advance(32_000);
    server.respond(answer(message, 500));
    assert.deepEqual(sent, ['0 bob 200']);
  });

  test('RFC 3261 §17.2.4: the client has closed its connection: the transaction ends, nobody is answered', async () => {
    const { transactions, clock, sent, peer } = create();
    const { flow, station } = await peer('tcp', 40_000);
    const invite = request();
    const server = transactions.server(invite, flow);
    station.close();
    await clock.advance(1);
    server.respond(answer(invite, 486));
    await clock.advance(40_000);
    assert.deepEqual(sent, []);
    assert.deepEqual([transactions.counts, clock.pending()], [nothing, 0]);
  });

  test('law 9: more than 20,000 at once are refused as overload; when they have ended there is room again', async () => {
    const { transactions, clock, peer } = create();
    const { flow } = await peer('tcp', 40_000);
    const servers = Array.from({ length: 20_000 }, (_, index) => {
      const message = request('MESSAGE', { branch: `z9hG4bK${index}` });
      return { message, server: transactions.server(message, flow) };
    });
    const one = request('MESSAGE', { branch: 'z9hG4bKnext' });
    assert.throws(() => transactions.server(one, flow), { code: 'overloaded' });
    assert.equal(transactions.counts.server, 20_000);
    for (const { message, server } of servers.slice(0, 10)) server.respond(answer(message, 200));
    await clock.advance(0);
    transactions.server(one, flow);
    assert.ok(transactions.knows(one));
  });

  test('law 9: those that only wait for repetitions (timers H, J) have a larger bound of their own', async () => {
    const { transactions, clock, peer } = create({ open: 2, completed: 4 });
    const { flow } = await peer();
    const begin = (method: string, index: number): void => {
      const message = request(method, { branch: `z9hG4bK${index}` });
      const server = transactions.server(message, flow);
      if (method === 'INVITE') server.respond(answer(message, 180));
      server.respond(answer(message, 486));
      server.respond(answer(message, 486));
    };
    for (const [index, method] of ['MESSAGE', 'INVITE', 'MESSAGE', 'INVITE'].entries()) begin(method, index);
    assert.equal(transactions.counts.server, 4);
    assert.throws(() => begin('MESSAGE', 5), { code: 'overloaded' });
    await clock.advance(32_000);
    begin('MESSAGE', 6);
    assert.equal(transactions.counts.server, 1);
  });

  test('law 9: a provisional response ends nothing; the end of a transaction does', async () => {
    const { transactions, clock, peer } = create({ open: 1, completed: 9 });
    const { flow, station } = await peer('tcp', 40_000);
    const [first, second] = [request('MESSAGE'), request('MESSAGE', { branch: 'z9hG4bK2' })];
    const server = transactions.server(first, flow);
    server.respond(answer(first, 100));
    assert.throws(() => transactions.server(second, flow), { code: 'overloaded' });
    station.close();
    await clock.advance(1);
    server.respond(answer(first, 100));
    await clock.advance(1);
    assert.equal(transactions.counts.server, 0);
    transactions.server(second, flow);
    assert.ok(transactions.knows(second));
  });

  test('law 9: what ends or continues what is known has as much room again, and no more', async () => {
    for (const limits of [
      { open: 2, completed: 0 },
      { open: 0, completed: 2 },
    ]) {
      const { transactions, peer } = create({ open: limits.open || 9, completed: limits.completed || 9 });
      const { flow } = await peer();
      const begin = (index: number, isKnown: boolean): void => {
        const message = request('MESSAGE', { branch: `z9hG4bK${index}` });
        const server = transactions.server(message, flow, () => isKnown);
        if (limits.open === 0) server.respond(answer(message, 200));
      };
      for (const index of [1, 2]) begin(index, false);
      assert.throws(() => begin(3, false), { code: 'overloaded' });
      for (const index of [4, 5]) begin(index, true);
      assert.throws(() => begin(6, true), { code: 'overloaded' });
    }
  });

  test('whether a request is known is not asked while there is room', async () => {
    const { transactions, peer } = create();
    const { flow } = await peer();
    transactions.server(request(), flow, () => assert.fail('asked'));
  });
});

describe('the way out', () => {
  /** Where the response to a request with this Via goes. */
  async function goesTo(parts: Parts, expected: string): Promise<void> {
    const { transactions, network, peer } = create();
    const { flow } = await peer('udp', 5060);
    const sent: string[] = [];
    network.watch(({ to }) => sent.push(to));
    const message = request('MESSAGE', parts);
    transactions.server(message, flow).respond(answer(message, 200));
    assert.deepEqual(sent, [expected], JSON.stringify(parts));
  }

  test('RFC 3261 §18.2.2, RFC 3581 §4: over UDP a response goes to received and rport, else to sent-by', async () => {
    const received: Params[number] = ['received', '198.51.100.9'];
    await goesTo({ host: '10.0.0.1', viaParams: [received, ['rport', '41000']] }, '198.51.100.9:41000');
    await goesTo({ host: '10.0.0.1', port: 5062, viaParams: [received] }, '198.51.100.9:5062');
    await goesTo({ host: '192.0.2.9', port: 5062 }, '192.0.2.9:5062');
    await goesTo({ host: '192.0.2.9', port: 5062, viaParams: [['maddr', '192.0.2.10']] }, '192.0.2.10:5062');
  });

  test('a Via whose host is a name brings the response back the way the request came', () =>
    goesTo({ host: 'phone.local' }, 'bob'));

  test('RFC 3261 §18.2.2: over a connection the response takes that connection, whatever Via says', async () => {
    const { transactions, sent, peer } = create();
    const { flow } = await peer('wss', 40_000);
    const message = request('MESSAGE', { host: 'x7.invalid', viaParams: [['received', '198.51.100.9']] });
    transactions.server(message, flow).respond(answer(message, 200));
    assert.deepEqual(sent, ['0 bob 200']);
  });

  test('RFC 3261 §18.3: on a stream a message gets its Content-Length; as a datagram it stays as it came', async () => {
    const outcomes: Record<string, boolean> = {};
    for (const transport of ['udp', 'tcp', 'tls', 'ws', 'wss'] as const) {
      const { transactions, texts, peer } = create();
      const { flow } = await peer(transport, 40_000);
      transactions.client(removeAll(request('MESSAGE'), ContentLength), flow, listening());
      outcomes[transport] = /\r\nContent-Length: 0\r\n/.test(texts[0] ?? '');
    }
    assert.deepEqual(outcomes, { udp: false, tcp: true, tls: true, ws: false, wss: false });
  });

  test('outside of transactions: a request takes its flow, a response the way that its Via says', async () => {
    const { transactions, network, sent, peer } = create();
    const { flow } = await peer();
    assert.equal(transactions.sendDirect(request('ACK'), flow), true);
    const watched: string[] = [];
    network.watch(({ to }) => watched.push(to));
    transactions.sendDirect(answer(request('MESSAGE', { host: '192.0.2.9' }), 400), flow);
    assert.deepEqual([sent[0], watched], ['0 bob ACK', ['192.0.2.9:5060']]);
    assert.deepEqual(transactions.counts, nothing);
  });

  test('outside of transactions: a closed flow is told at once', async () => {
    const { transactions, clock, peer } = create();
    const { flow, station } = await peer('tcp', 40_000);
    station.close();
    await clock.advance(1);
    assert.equal(transactions.sendDirect(request('ACK'), flow), false);
  });
});
