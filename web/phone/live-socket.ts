/**
 * JsSIP's WebSocket, and whether somebody is still at its other end. After a change of network a browser tells nothing of
 * its dead connection for a quarter of an hour: the page would seem registered, and nobody could call it. So the server is
 * asked by two line ends, which it answers by one (RFC 7118 §6, RFC 5626 §4.4.1).
 */
import { WebSocketInterface } from 'jssip';
import type { Socket } from 'jssip/lib/Socket';

/** Hidden pages are held to one in a minute by their browser. */
const PING_MS = 15_000;
const PATIENCE_MS = 4_000;
const PING = '\r\n\r\n';

export class LiveSocket implements Socket {
  onconnect: Socket['onconnect'] = () => undefined;
  ondisconnect: Socket['ondisconnect'] = () => undefined;
  ondata: Socket['ondata'] = () => undefined;
  readonly #socket: WebSocketInterface;
  #pings: ReturnType<typeof setInterval> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** Who wants to know whether the server answers. */
  #asking: ((isThere: boolean) => void)[] = [];

  constructor(url: string) {
    this.#socket = new WebSocketInterface(url);
    this.#socket.onconnect = () => {
      this.#pings = setInterval(() => void this.isThere(), PING_MS);
      this.onconnect();
    };
    this.#socket.ondisconnect = (...why) => {
      this.#ended();
      this.ondisconnect(...why);
    };
    this.#socket.ondata = (data) => {
      this.#answered(true);
      this.ondata(data);
    };
  }

  get via_transport(): string {
    return this.#socket.via_transport;
  }

  set via_transport(value: string) {
    this.#socket.via_transport = value;
  }

  get url(): string {
    return this.#socket.url;
  }

  get sip_uri(): string {
    return this.#socket.sip_uri;
  }

  connect(): void {
    this.#socket.connect();
  }

  disconnect(): void {
    this.#ended();
    this.#socket.disconnect();
  }

  send(message: Parameters<Socket['send']>[0]): boolean {
    return this.#socket.send(message);
  }

  isConnected(): boolean {
    return this.#socket.isConnected();
  }

  isConnecting(): boolean {
    return this.#socket.isConnecting();
  }

  /** Whether the server answers now. When it does not, the connection is closed, and JsSIP makes another one. */
  isThere(): Promise<boolean> {
    if (!this.isConnected()) return Promise.resolve(false);
    if (this.#patience === undefined) {
      this.#patience = setTimeout(() => this.#giveUp(), PATIENCE_MS);
      this.#socket.send(PING);
    }
    return new Promise((resolve) => this.#asking.push(resolve));
  }

  #giveUp(): void {
    this.disconnect();
    this.ondisconnect(true, 1006, 'no answer to a keep-alive');
  }

  #answered(isThere: boolean): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    const asking = this.#asking;
    this.#asking = [];
    for (const tell of asking) tell(isThere);
  }

  #ended(): void {
    clearInterval(this.#pings);
    this.#answered(false);
  }
}
