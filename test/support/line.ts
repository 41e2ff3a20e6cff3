/**
 * The line of a scripted user agent to a running Viaduct: a socket of UDP, TCP, TLS, WS or WSS on loopback.
 *
 * It gives an `Agent` what the virtual network gives it in `calls/`: `send`, and whole messages. A datagram that repeats
 * an earlier one byte for byte is a retransmission and does not reach the agent, who answers once only.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import { createFramer } from '../../src/message/framing.ts';
import type { SocketAddress, Transport } from '../../src/ports.ts';

export interface LineOptions {
  readonly transport: Transport;
  /** Viaduct's address: 127.0.0.1 or ::1. */
  readonly host: string;
  /** Viaduct's port. */
  readonly port: number;
  /** PEM, for TLS and WSS: who else answers there is refused. */
  readonly authority: string;
  /** UDP: the address it sends from; default Viaduct's. */
  readonly from?: string | undefined;
  /** Whole messages; CRLF keep-alives are not messages. */
  readonly received: (text: string) => void;
}

export interface Line {
  readonly local: SocketAddress;
  send(text: string): void;
  close(): void;
}

const maxBytes = 65_536;

export function openLine(options: LineOptions): Promise<Line> {
  switch (options.transport) {
    case 'udp':
      return openUdp(options);
    case 'tcp':
    case 'tls':
      return openStream(options);
    case 'ws':
    case 'wss':
      return openWebSocket(options);
  }
}

async function openUdp({ host, port, from = host, received }: LineOptions): Promise<Line> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const seen = new Set<string>();
  socket.on('message', (bytes) => {
    const text = bytes.toString('latin1');
    if (seen.has(text)) return;
    seen.add(text);
    received(text);
  });
  socket.bind(0, from);
  await once(socket, 'listening');
  return {
    local: { address: from, port: socket.address().port },
    send: (text) => socket.send(Buffer.from(text, 'latin1'), port, host),
    close: () => socket.close(),
  };
}

async function openStream({ transport, host, port, authority, received }: LineOptions): Promise<Line> {
  const socket = transport === 'tls' ? connectTls({ host, port, ca: authority }) : connectTcp({ host, port });
  await once(socket, transport === 'tls' ? 'secureConnect' : 'connect');
  const framer = createFramer({ maxBytes });
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    for (const framed of framer.push(String(chunk))) if (framed.kind === 'message') received(framed.text);
  });
  // The other end may be killed: that is for the script to notice.
  socket.on('error', () => undefined);
  return {
    local: localOf(socket),
    send: (text) => socket.write(text, 'latin1'),
    close: () => socket.destroy(),
  };
}

async function openWebSocket({ transport, host, port, authority, received }: LineOptions): Promise<Line> {
  const socket = new WebSocket(`${transport}://${hostport(host)}:${port}/`, 'sip', { ca: authority });
  await once(socket, 'open');
  socket.on('error', () => undefined);
  socket.on('message', (data) => {
    const text = Buffer.isBuffer(data) ? data.toString('latin1') : '';
    if (text.trim() !== '') received(text);
  });
  return {
    // RFC 7118 §5: a browser does not know its address.
    local: { address: host, port: 0 },
    send: (text) => socket.send(text),
    close: () => socket.terminate(),
  };
}

function localOf({ localAddress = '', localPort = 0 }: Socket): SocketAddress {
  return { address: localAddress, port: localPort };
}

/** RFC 3261 §25.1: an IPv6 address stands in brackets where a port may follow. */
export function hostport(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}
