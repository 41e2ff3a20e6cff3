/**
 * A copy of every SIP message for a Homer (HEP=udp:host:port), as HEP version 3, credentials and keys taken out.
 *
 * It must never be in the way: nothing waits for it, nothing is sent twice, and while the collector is away, or slower
 * than we are, copies are thrown away and counted (law 9).
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock, Flow, Log, MetricFamily, SocketAddress } from '../../ports.ts';
import { hepPacket } from './hep-packet.ts';

/** Copies that the kernel has not taken yet. */
const mostWaiting = 200;
/** After a failure the name is looked up again, and people are told again. */
const retryMs = 10_000;

export interface CaptureOptions {
  readonly collector: { readonly host: string; readonly port: number };
  /** Tells several nodes apart; 32 bits. */
  readonly agentId: number;
  /** What leaves this host has no secrets in it. */
  readonly clean: (text: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Capture {
  passed(direction: 'in' | 'out', flow: Flow, text: string): void;
  /** Copies that were thrown away. */
  readonly lost: number;
  /** For Prometheus. */
  read(): readonly MetricFamily[];
  close(): void;
}

export function lostFamilies(lost: number): readonly MetricFamily[] {
  const help = 'Copies for Homer that were thrown away: it is not there, or slower than we are.';
  return [{ name: 'viaduct_hep_lost_total', help, type: 'counter', samples: [{ labels: {}, value: lost }] }];
}

export function openCapture(options: CaptureOptions): Capture {
  return new HepCapture(options);
}

class HepCapture implements Capture {
  readonly #options: CaptureOptions;
  #socket: Socket | undefined;
  #ready = false;
  #waiting = 0;
  #againAtMs = 0;
  lost = 0;

  constructor(options: CaptureOptions) {
    this.#options = options;
    this.#connect();
  }

  passed(direction: 'in' | 'out', flow: Flow, text: string): void {
    if (this.#socket === undefined && this.#options.clock.nowMs() >= this.#againAtMs) this.#connect();
    const packet = this.#ready && this.#waiting < mostWaiting ? this.#packet(direction, flow, text) : undefined;
    if (packet === undefined) this.lost += 1;
    else this.#send(packet);
  }

  read(): readonly MetricFamily[] {
    return lostFamilies(this.lost);
  }

  close(): void {
    this.#againAtMs = Number.POSITIVE_INFINITY;
    this.#drop();
  }

  #packet(direction: 'in' | 'out', flow: Flow, text: string): Buffer | undefined {
    const [here, there]: readonly SocketAddress[] = [flow.listener.local, flow.remote];
    const [source, destination] = direction === 'in' ? [there, here] : [here, there];
    if (source === undefined || destination === undefined) return undefined;
    const { agentId, clean, clock } = this.#options;
    const { transport } = flow;
    return hepPacket({ transport, source, destination, atMs: clock.nowMs(), agentId, text: clean(text) });
  }

  #send(packet: Buffer): void {
    this.#waiting += 1;
    this.#socket?.send(packet, (error) => {
      this.#waiting -= 1;
      if (error) this.#failed(error);
    });
  }

  #connect(): void {
    const { host, port } = this.#options.collector;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.#socket = socket;
    this.#waiting = 0;
    socket.on('error', (error) => this.#failed(error));
    socket.unref();
    // Node calls back with an error, too, where its types know none.
    const connected: (error?: Error) => void = (error) => {
      if (this.#socket !== socket) return;
      if (error) this.#failed(error);
      else this.#ready = true;
    };
    socket.connect(port, host, connected);
  }

  /** Nobody listens there, or the name has no address: try again in a while, not with each message. */
  #failed(error: Error): void {
    if (this.#socket === undefined) return;
    this.#drop();
    this.#againAtMs = this.#options.clock.nowMs() + retryMs;
    const { host, port } = this.#options.collector;
    this.#options.log.warn({ collector: `${host}:${port}`, error: error.message, lost: this.lost }, 'HEP: not sent');
  }

  #drop(): void {
    this.#ready = false;
    this.#socket?.close();
    this.#socket = undefined;
  }
}
