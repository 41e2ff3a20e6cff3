/** A network on loopback that writes down what it reports, and plain clients to try it with. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { ListenEntry } from '../../../src/adapters/network/listeners.ts';
import { type NetworkOptions, type OpenNetwork, openNetwork } from '../../../src/adapters/network/network.ts';
import type { Flow, Listener, Log, SocketAddress, Transport } from '../../../src/ports.ts';

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Times short enough to be waited for. */
export const quick = { tickMs: 10, lingerMs: 200 };

const patienceMs = 5_000;

export interface Received {
  readonly text: string;
  readonly flow: Flow;
}

export interface Closed {
  readonly flow: Flow;
  readonly reason: string;
}

/** Things that happen, to be taken one after the other. */
export class Inbox<T> {
  readonly all: T[] = [];
  #taken = 0;
  #arrived = Promise.withResolvers<void>();

  put(item: T): void {
    this.all.push(item);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
  }

  async next(what = 'anything'): Promise<T> {
    const deadline = AbortSignal.timeout(patienceMs);
    while (this.all.length <= this.#taken) {
      await Promise.race([this.#arrived.promise, once(deadline, 'abort')]);
      if (deadline.aborted) assert.fail(`nothing arrived: waited for ${what}`);
    }
    const item = this.all[this.#taken];
    this.#taken += 1;
    assert.ok(item !== undefined);
    return item;
  }
}

/** In how long the kernel asks the silent peer at this port whether it is there, for ever if it does not: proc(5), `tr` and `tm->when`. */
export function probeInMs(port: number): number {
  const peer = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const row of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
    const [, , remote = '', , , timer = ''] = row.trim().split(/ +/);
    const [kind, inTicks = ''] = timer.split(':');
    if (remote.endsWith(peer) && kind === '02') return Number.parseInt(inTicks, 16) * 10;
  }
  return Number.POSITIVE_INFINITY;
}

export interface Opened {
  readonly network: OpenNetwork;
  readonly messages: Inbox<Received>;
  readonly closed: Inbox<Closed>;
  /** The first listener. */
  readonly listener: Listener;
}

export function entry(text: string): ListenEntry {
  const [, transport = '', host = '', port = ''] = /^(\w+):(.*):(\d+)$/.exec(text) ?? [];
  assert.ok(isTransport(transport));
  return { text, transport, host, port: Number(port) };
}

function isTransport(text: string): text is Transport {
  return ['udp', 'tcp', 'tls', 'ws', 'wss'].includes(text);
}

export async function open(
  t: TestContext,
  listen: readonly string[],
  options: Partial<NetworkOptions> = {},
): Promise<Opened> {
  const messages = new Inbox<Received>();
  const closed = new Inbox<Closed>();
  const network = await openNetwork(
    { listen: listen.map(entry), boot: 'ab12cd', log: silentLog, ...options, limits: { ...quick, ...options.limits } },
    {
      message: (text, flow) => messages.put({ text, flow }),
      closed: (flow, reason) => closed.put({ flow, reason }),
    },
  );
  t.after(() => network.shutdown());
  return { network, messages, closed, listener: listenerAt(network, 0) };
}

export function listenerAt(network: OpenNetwork, index: number): Listener {
  const listener = network.listeners[index];
  assert.ok(listener !== undefined, `there is no listener ${index}`);
  return listener;
}

/** A TCP client that collects what it is sent as latin1. */
export class TcpClient {
  readonly socket: Socket;
  readonly #chunks = new Inbox<string>();
  #text = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#chunks.put(chunk.toString('latin1')));
    socket.on('error', () => undefined);
  }

  static async connect(t: TestContext, to: SocketAddress): Promise<TcpClient> {
    const socket = connect({ host: to.address, port: to.port, noDelay: true });
    t.after(() => socket.destroy());
    const client = new TcpClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** One that may well be refused. */
  static dial(t: TestContext, to: SocketAddress): TcpClient {
    const socket = connect({ host: to.address, port: to.port });
    t.after(() => socket.destroy());
    return new TcpClient(socket);
  }

  /** What has come and was not expected yet. */
  get received(): string {
    return this.#text + this.#chunks.all.join('');
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until as many bytes have come as `expected` has, and compares them. */
  async expect(expected: string): Promise<void> {
    while (this.#text.length < expected.length) this.#text += await this.#chunks.next(JSON.stringify(expected));
    assert.equal(this.#text.slice(0, expected.length), expected);
    this.#text = this.#text.slice(expected.length);
  }

  async closed(): Promise<void> {
    await eventually(() => this.socket.closed, 'the client is closed');
  }
}

/** A message that is as long as it says. */
export function message(body = '', callId = 'c1'): string {
  return `MESSAGE sip:bob@example.com SIP/2.0\r\nCall-ID: ${callId}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Waits for something that has no event of its own. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  while (!condition()) {
    assert.ok(performance.now() < untilMs, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Handles of this process that are sockets or servers. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|UDP|Pipe/.test(name)).length;
}
