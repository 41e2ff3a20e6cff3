/**
 * UDP (RFC 3261 §18): one socket per listener, no state per peer. A flow is our listener and the peer's address, so it
 * can be made again from its id at any time, also after a restart.
 *
 * Keep-alives: CRLFs and short noise are not answered (RFC 5626 §3.5.2 uses STUN on UDP), STUN Binding requests are.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Flow, Listener, SocketAddress } from '../../ports.ts';
import { canonicalAddress, isPort, plainAddress, sameFamily } from './addresses.ts';
import type { Context } from './context.ts';
import { answerStun, isStun } from './stun.ts';

/** IPv4: 65,535 less 20 bytes of IP and 8 of UDP. */
const largestDatagram = 65_507;
const shortestMessage = 12;
/**
 * The default of Linux holds some 50 messages; the kernel cuts what is more than it grants. Not larger: in a flood it is
 * full, and what waits in it for T1 (half a second) is sent again, and answered twice.
 */
const receiveBufferBytes = 1_048_576;
const sendBufferBytes = 4_194_304;

export interface UdpSocket {
  readonly port: number;
  /** From now on datagrams are delivered as from this listener. */
  start(listener: Listener): void;
  send(remote: SocketAddress, text: string): boolean;
  close(): Promise<void>;
}

export async function openUdp(address: string, port: number, context: Context): Promise<UdpSocket> {
  const socket = createSocket({
    type: address.includes(':') ? 'udp6' : 'udp4',
    ipv6Only: address.includes(':'),
    recvBufferSize: receiveBufferBytes,
    sendBufferSize: sendBufferBytes,
    // Never a name: a lookup would wait, and every address here is numeric.
    lookup: (host, _options, found) => found(null, host, host.includes(':') ? 6 : 4),
  });
  await bound(socket, address, port);
  return new BoundUdp(socket, context);
}

function bound(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
}

class BoundUdp implements UdpSocket {
  readonly port: number;
  readonly #socket: Socket;
  readonly #context: Context;
  #open = true;

  constructor(socket: Socket, context: Context) {
    this.#socket = socket;
    this.#context = context;
    this.port = socket.address().port;
    socket.on('error', (error) => context.drops.count('socket-error', { error: error.message }));
  }

  start(listener: Listener): void {
    this.#socket.on('message', (packet, source) => this.#received(packet, source, listener));
  }

  send(remote: SocketAddress, text: string): boolean {
    const { drops, limits } = this.#context;
    if (!this.#open || !isPort(remote.port)) return false;
    if (text.length > largestDatagram) return refused(drops, 'too-large', remote);
    if (this.#socket.getSendQueueSize() > limits.datagramQueueBytes) return refused(drops, 'slow-reader', remote);
    return this.#write(Buffer.from(text, 'latin1'), remote);
  }

  #write(packet: Buffer, remote: SocketAddress): boolean {
    try {
      this.#socket.send(packet, remote.port, remote.address);
      return true;
    } catch (error) {
      this.#context.drops.count('send-failed', { error: String(error) });
      return false;
    }
  }

  #received(packet: Buffer, source: RemoteInfo, listener: Listener): void {
    const remote = { address: plainAddress(source.address), port: source.port };
    if (isStun(packet)) this.#stun(packet, remote);
    else if (packet.length < shortestMessage) this.#short(packet);
    else this.#context.delivery.message(packet.toString('latin1'), udpFlow(listener, remote, true));
  }

  #stun(packet: Buffer, remote: SocketAddress): void {
    const answer = isPort(remote.port) ? answerStun(packet, remote) : undefined;
    if (answer === undefined) this.#context.drops.count('stun');
    else this.#write(answer, remote);
  }

  /** Line ends and zeros keep a NAT open and mean nothing else. */
  #short(packet: Buffer): void {
    if (packet.some((byte) => byte !== 0 && byte !== 10 && byte !== 13)) this.#context.drops.count('too-short');
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    return new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
  }
}

function refused(drops: Context['drops'], reason: 'too-large' | 'slow-reader', remote: SocketAddress): false {
  drops.count(reason, { remote: `${remote.address}:${remote.port}`, transport: 'udp' });
  return false;
}

export function udpFlow(listener: Listener, remote: SocketAddress, inbound: boolean): Flow {
  const id = `u${listener.index}:${remote.address}:${remote.port}`;
  return { id, transport: 'udp', listener, remote, inbound };
}

/** The flow that an id names, if its listener is still there; ids may come from a database or a token. */
export function findUdpFlow(flowId: string, listeners: readonly Listener[]): Flow | undefined {
  const parts = /^u(\d{1,5}):([0-9A-Fa-f.:]{2,45}):(\d{1,5})$/.exec(flowId);
  const [, index = '', address = '', port = ''] = parts ?? [];
  const listener = listeners[Number(index)];
  const remote = { address: canonicalAddress(address) ?? '', port: Number(port) };
  if (parts === null || listener?.transport !== 'udp' || remote.address === '' || !isPort(remote.port))
    return undefined;
  return sameFamily(remote.address, listener.local.address) ? udpFlow(listener, remote, true) : undefined;
}
