/**
 * A SIP connection over a WebSocket (RFC 7118): one frame is one message, the way in and the way out are the same.
 *
 * Bytes that are no UTF-8 leave in a binary frame: as text the browser would have to close (RFC 6455 §8.1). Browsers
 * cannot ping, so we do; whoever is silent until the next ping is gone. RFC 7118 §6 lets a client send CRLFCRLF.
 */
import { isUtf8 } from 'node:buffer';
import type { RawData, WebSocket } from 'ws';
import type { Cancel, Flow } from '../../ports.ts';
import type { Connection } from './connections.ts';
import type { Context } from './context.ts';
import type { DropReason } from './drops.ts';

/** RFC 6455 §7.4.1. */
const goingAway = 1001;
const lineEndsOnly = /^[\r\n]*$/;

export class WebSocketConnection implements Connection {
  readonly flow: Flow;
  readonly serverName = undefined;
  readonly #socket: WebSocket;
  readonly #context: Context;
  #heard = true;
  #cancelPing: Cancel = () => undefined;

  constructor(socket: WebSocket, flow: Flow, context: Context) {
    this.#socket = socket;
    this.flow = flow;
    this.#context = context;
    context.connections.add(this);
    socket.on('message', (data) => this.#received(data));
    socket.on('pong', () => this.#alive());
    socket.on('ping', () => this.#alive());
    socket.on('error', (error) => this.#broken(error));
    socket.on('close', (code) => this.#gone(`closed by the peer (WebSocket code ${code})`));
    this.#watch();
  }

  send(text: string): boolean {
    if (!this.#context.connections.isOpen(this.flow)) return false;
    if (this.#socket.bufferedAmount + text.length > this.#context.limits.writeBufferBytes) {
      this.#cut('slow-reader', 'it does not read what it is sent');
      return false;
    }
    const bytes = Buffer.from(text, 'latin1');
    this.#socket.send(bytes, { binary: !isUtf8(bytes) });
    return true;
  }

  #received(data: RawData): void {
    this.#alive();
    if (!Buffer.isBuffer(data) || !this.#context.connections.isOpen(this.flow)) return;
    const text = data.toString('latin1');
    if (text.length <= 4 && lineEndsOnly.test(text)) this.#keepAlive(text);
    else this.#context.delivery.message(text, this.flow);
  }

  /** RFC 5626 §4.4.1: two line ends are a ping, one is the answer to it. */
  #keepAlive(text: string): void {
    if (text === '\r\n\r\n') this.send('\r\n');
  }

  #alive(): void {
    this.#heard = true;
  }

  #watch(): void {
    this.#cancelPing = this.#context.wheel.after(this.#context.limits.pingMs, () => {
      if (!this.#heard) return this.#cut('no-pong', 'it does not answer pings');
      this.#heard = false;
      this.#socket.ping();
      this.#watch();
    });
  }

  /** `ws` has sent a close frame with the reason; the rest of the stream means nothing. */
  #broken(error: Error): void {
    const tooLarge = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    const reason = tooLarge ? 'too-large' : 'websocket-broken';
    if (!this.#gone(`${reason}: ${error.message}`)) return;
    this.#context.drops.count(reason, { flow: this.flow.id, words: error.message });
    this.#linger();
  }

  end(reason: string): void {
    if (!this.#gone(reason)) return;
    this.#socket.close(goingAway);
    this.#linger();
  }

  #linger(): void {
    const cancel = this.#context.wheel.after(this.#context.limits.lingerMs, () => this.#socket.terminate());
    this.#socket.once('close', cancel);
  }

  #cut(reason: DropReason, words: string): void {
    if (!this.#gone(`${reason}: ${words}`)) return;
    this.#context.drops.count(reason, { flow: this.flow.id, remote: this.flow.remote.address, words });
    this.#socket.terminate();
  }

  #gone(reason: string): boolean {
    this.#cancelPing();
    return this.#context.connections.gone(this, reason);
  }
}
