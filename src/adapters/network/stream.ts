/**
 * A SIP connection over a byte stream, TCP or TLS, accepted or dialled (RFC 3261 §18.3; RFC 5626 §3.5.1 and §4.4.1).
 *
 * Deadlines, each a reason in the statistics: a message that began must end (`framing-timeout`), a stream that carries
 * nothing is closed (`idle`), and who does not read is cut off (`slow-reader`): a proxy must not keep for one peer what
 * it owes to all. Left out: who may connect (acceptor.ts) and whom a certificate names (tls.ts, dial.ts).
 */
import type { Socket } from 'node:net';
import { createFramer, type Framed, type Framer } from '../../message/framing.ts';
import type { Cancel, Flow } from '../../ports.ts';
import type { Connection } from './connections.ts';
import type { Context } from './context.ts';
import type { DropReason } from './drops.ts';

const pong = '\r\n';

/** A socket that is connected already. */
export function acceptedStream(socket: Socket, flow: Flow, context: Context): void {
  new StreamConnection(socket, flow, undefined, context).opened();
}

/** A socket that is being dialled; call `opened` when the peer is there and has proved who it is. */
export function diallingStream(
  socket: Socket,
  flow: Flow,
  serverName: string | undefined,
  context: Context,
): StreamConnection {
  return new StreamConnection(socket, flow, serverName, context);
}

export class StreamConnection implements Connection {
  readonly flow: Flow;
  readonly serverName: string | undefined;
  readonly #socket: Socket;
  readonly #context: Context;
  readonly #framer: Framer;
  /** What was sent before the connection was usable; over TLS nothing may leave before the name is verified. */
  #waiting: string[] | undefined = [];
  #waitingBytes = 0;
  #heardAtTick: number;
  #cancelIdle: Cancel = () => undefined;
  #cancelPart: Cancel | undefined;

  constructor(socket: Socket, flow: Flow, serverName: string | undefined, context: Context) {
    this.#socket = socket;
    this.flow = flow;
    this.serverName = serverName;
    this.#context = context;
    this.#framer = createFramer({ maxBytes: context.limits.messageBytes });
    this.#heardAtTick = context.wheel.ticks;
    context.connections.add(this);
    socket.on('error', (error) => this.#gone(error.message));
    socket.on('end', () => this.end('closed by the peer'));
    socket.on('close', () => this.#gone('closed by the peer'));
  }

  /** From now on it carries messages. */
  opened(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const text of waiting) this.#socket.write(text, 'latin1');
    this.#socket.on('data', (chunk: Buffer) => this.#received(chunk));
    this.#watchIdle(this.#context.limits.idleMs);
  }

  send(text: string): boolean {
    if (!this.#context.connections.isOpen(this.flow)) return false;
    this.#heardAtTick = this.#context.wheel.ticks;
    return this.#waiting === undefined ? this.#write(text) : this.#wait(this.#waiting, text);
  }

  #write(text: string): boolean {
    if (this.#socket.writableLength + text.length > this.#context.limits.writeBufferBytes) {
      this.#cut('slow-reader', 'it does not read what it is sent');
      return false;
    }
    this.#socket.write(text, 'latin1');
    return true;
  }

  #wait(waiting: string[], text: string): boolean {
    if (this.#waitingBytes + text.length > this.#context.limits.writeBufferBytes) {
      this.#context.drops.count('connect-queue-full', { flow: this.flow.id });
      return false;
    }
    this.#waitingBytes += text.length;
    waiting.push(text);
    return true;
  }

  #received(chunk: Buffer): void {
    if (!this.#context.connections.isOpen(this.flow)) return;
    this.#heardAtTick = this.#context.wheel.ticks;
    const framed = this.#framer.push(chunk.toString('latin1'));
    for (const item of framed) this.#take(item);
    this.#watchPart(framed.length > 0);
  }

  #take(item: Framed): void {
    if (!this.#context.connections.isOpen(this.flow)) return;
    switch (item.kind) {
      case 'message':
        this.#context.delivery.message(item.text, this.flow);
        return;
      case 'ping':
        this.#write(pong);
        return;
      case 'pong':
        return;
      case 'broken':
        this.#cut('framing-broken', item.error);
        return;
      default:
        item satisfies never;
    }
  }

  /** The clock of a message starts with its first byte; later bytes do not turn it back. */
  #watchPart(progress: boolean): void {
    if (progress || !this.#framer.pending) {
      this.#cancelPart?.();
      this.#cancelPart = undefined;
    }
    if (!this.#framer.pending || !this.#context.connections.isOpen(this.flow)) return;
    this.#cancelPart ??= this.#context.wheel.after(this.#context.limits.partMs, () =>
      this.#cut('framing-timeout', 'a message was begun and not completed'),
    );
  }

  #watchIdle(delayMs: number): void {
    this.#cancelIdle = this.#context.wheel.after(delayMs, () => {
      const { wheel, limits } = this.#context;
      const leftMs = limits.idleMs - (wheel.ticks - this.#heardAtTick) * limits.tickMs;
      if (leftMs > 0) this.#watchIdle(leftMs);
      else this.#cut('idle', 'nothing was heard for too long');
    });
  }

  end(reason: string): void {
    if (!this.#gone(reason)) return;
    this.#socket.destroySoon();
    // Whoever does not read cannot keep the socket by that.
    const cancel = this.#context.wheel.after(this.#context.limits.lingerMs, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
  }

  /** Counted, and ended without waiting for anything to leave. */
  #cut(reason: DropReason, words: string, topic = ''): void {
    if (!this.#gone(`${reason}: ${words}`)) return;
    this.#context.drops.count(reason, { flow: this.flow.id, remote: this.flow.remote.address, words }, topic);
    this.#socket.destroy();
  }

  /** The dialling side gives up. */
  abandon(reason: DropReason, words: string, topic = ''): void {
    this.#cut(reason, words, topic);
  }

  #gone(reason: string): boolean {
    this.#cancelIdle();
    this.#cancelPart?.();
    this.#waiting = undefined;
    return this.#context.connections.gone(this, reason);
  }
}
