/**
 * A UDP socket connected to one peer: the kernel drops datagrams of others and reports a closed port (ICMP) at once.
 *
 * Connecting is asynchronous and may fail (no such host, no route yet); it is tried again with the next datagram. A name
 * whose peer is silent is looked up again: a container that was made anew has another address.
 * No error here is ever thrown or left unheard: an unheard `error` event would end the process.
 */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';

/** Room for the replies of a busy second; the usual 208 kB hold about a hundred. */
const recvBufferSize = 1024 * 1024;

export interface ConnectedSocketOptions {
  /** A numeric address, or a name that has an IPv4 address. */
  readonly host: string;
  readonly port: number;
  /** Instead of the system's resolver. */
  readonly lookup?: SocketOptions['lookup'];
  /** latin1 */
  readonly onMessage: (text: string) => void;
  readonly onConnected: () => void;
  /** Refused, unreachable, unresolved: the socket stays usable. */
  readonly onError: (reason: string) => void;
}

export interface ConnectedSocket {
  /** Sends when connected; otherwise drops it, and the repetition or `onConnected` sends it. */
  send(datagram: Buffer): void;
  /** While an answer is awaited the socket keeps the process alive, otherwise not. */
  busy(waiting: boolean): void;
  /** Nobody answers there. */
  silent(): void;
  close(): void;
}

export function connectSocket(options: ConnectedSocketOptions): ConnectedSocket {
  let state: 'connecting' | 'connected' | 'failed' | 'closed' = 'connecting';
  const { host, lookup } = options;
  const type = isIPv6(host) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize, ...(lookup === undefined ? {} : { lookup }) });
  const failed = (error: Error): void => options.onError(error.message);
  socket.on('error', failed);
  socket.on('message', (bytes) => options.onMessage(bytes.toString('latin1')));
  socket.unref();
  connect();

  function connect(): void {
    state = 'connecting';
    connectOnce(socket, options, (error) => {
      if (state === 'closed') return;
      state = error === undefined ? 'connected' : 'failed';
      if (error === undefined) options.onConnected();
      else failed(error);
    });
  }

  return {
    send(datagram) {
      if (state === 'failed') connect();
      if (state === 'connected') socket.send(datagram, (error) => error && failed(error));
    },
    busy(waiting) {
      if (waiting) socket.ref();
      else socket.unref();
    },
    silent() {
      if (state !== 'connected' || isIP(host) !== 0) return;
      socket.disconnect();
      state = 'failed';
    },
    close() {
      if (state === 'closed') return;
      state = 'closed';
      socket.close();
    },
  };
}

function connectOnce(socket: Socket, { host, port }: ConnectedSocketOptions, done: (error?: Error) => void): void {
  // Node calls back with an error where its types know none.
  const callback: (error?: Error) => void = (error) => done(error ?? undefined);
  try {
    socket.connect(port, host, callback);
  } catch (thrown) {
    // Later, as every other outcome: nobody expects news before `connectSocket` has returned.
    queueMicrotask(() => done(thrown instanceof Error ? thrown : new Error(String(thrown))));
  }
}
