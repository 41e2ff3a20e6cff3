/**
 * WS and WSS listeners (RFC 7118, RFC 6455): the upgrade, and beside it the pages, which share port and certificate so
 * that a browser may use its microphone and the WebSocket from one origin.
 *
 * An upgrade on any path is served; what it must offer is the sub-protocol `sip`, and who does not is told so in words.
 * Origin is checked where ORIGINS is set: SIP authenticates each request and no cookie is involved, so that is not what
 * keeps strangers out, but it keeps their pages from making browsers dial.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Listener } from '../../ports.ts';
import type { Accepted } from './acceptor.ts';
import { plainAddress } from './addresses.ts';
import type { Context } from './context.ts';
import type { DropReason } from './drops.ts';
import { watchHttp } from './http-deadlines.ts';
import { guardHandshakes, serverOptions } from './tls.ts';
import type { TlsServerProfile } from './tls-source.ts';
import { WebSocketConnection } from './websocket.ts';

const subProtocol = 'sip';
/** A message in more pieces than this is no message. */
const maxFragments = 64;
const maxBufferedChunks = 256;
const httpLimits = { maxHeaderSize: 16_384, keepAliveTimeout: 5_000, headersTimeout: 0, requestTimeout: 0 };

interface Upgrader {
  readonly listener: Listener;
  readonly context: Context;
  readonly sockets: WebSocketServer;
}

/** Gives each accepted socket to an HTTP server that does not listen itself. */
export function webSockets(
  listener: Listener,
  profile: TlsServerProfile | undefined,
  pages: RequestListener | undefined,
  context: Context,
): (accepted: Accepted) => void {
  const server = profile === undefined ? createServer(httpLimits) : secureServer(listener, profile, context);
  const upgrader = { listener, context, sockets: webSocketServer(context, listener) };
  server.on('upgrade', (request, socket, head) => upgrade(upgrader, request, socket, head));
  server.on('request', (request, response) => serve(request, response, pages, context));
  server.on('clientError', (error, socket) => brokenRequest(upgrader, error, socket));
  watchHttp(server, profile === undefined ? 'connection' : 'secureConnection', context);
  return ({ socket }) => server.emit('connection', socket);
}

function secureServer(listener: Listener, profile: TlsServerProfile, context: Context): Server {
  const server = createSecureServer({ ...serverOptions(profile, context), ...httpLimits });
  guardHandshakes(server, listener, profile, context, () => undefined);
  return server;
}

function webSocketServer(context: Context, listener: Listener): WebSocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(subProtocol) ? subProtocol : false),
    perMessageDeflate: false,
    maxPayload: context.limits.messageBytes,
    maxFragments,
    maxBufferedChunks,
    skipUTF8Validation: true,
    clientTracking: false,
  });
  sockets.on('wsClientError', (error, socket) => {
    refuse({ listener, context, sockets }, socket, 'websocket-broken', `${error.message}.`);
  });
  return sockets;
}

function upgrade(upgrader: Upgrader, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  // Until `ws` takes over, nobody else listens for it.
  socket.on('error', () => undefined);
  const { listener, context, sockets } = upgrader;
  const fault = upgradeFault(request);
  if (fault !== undefined) {
    refuse(upgrader, socket, 'websocket-protocol', fault);
    return;
  }
  const stranger = foreignOrigin(request, context.origins);
  if (stranger !== undefined) {
    refuse(upgrader, socket, 'websocket-origin', stranger, '403 Forbidden');
    return;
  }
  const remote = { address: plainAddress(request.socket.remoteAddress ?? ''), port: request.socket.remotePort ?? 0 };
  sockets.handleUpgrade(request, socket, head, (accepted) => {
    new WebSocketConnection(accepted, context.connections.newFlow(listener, remote, true), context);
  });
}

/** `ws` would accept a client that offers no sub-protocol at all. */
function upgradeFault(request: IncomingMessage): string | undefined {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return 'Only "Upgrade: websocket" is served here.';
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (offered.includes(subProtocol)) return undefined;
  return 'This is SIP over WebSocket (RFC 7118): offer the sub-protocol "sip" (Sec-WebSocket-Protocol: sip).';
}

/** RFC 6455 §10.2. Telephones send no Origin, browsers always do; a page may talk to the host that it is from. */
function foreignOrigin({ headers }: IncomingMessage, allowed: readonly string[] | undefined): string | undefined {
  const origin = headers.origin?.toLowerCase();
  if (allowed === undefined || origin === undefined || allowed.includes(origin)) return undefined;
  if (origin.replace(/^https?:\/\//, '') === headers.host?.toLowerCase()) return undefined;
  return 'Pages of this origin may not connect here; add it to ORIGINS.';
}

function refuse(
  { listener, context }: Upgrader,
  socket: Duplex,
  reason: DropReason,
  words: string,
  status = '400 Bad Request',
): void {
  context.drops.count(reason, { entry: listener.entry, words });
  const text = `${words}\n`;
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    'Sec-WebSocket-Protocol: sip',
    'Sec-WebSocket-Version: 13',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  endSoon(socket, `${head.join('\r\n')}\r\n\r\n${text}`, context);
}

function brokenRequest({ listener, context }: Upgrader, error: Error, socket: Duplex): void {
  const isHttp = 'code' in error && typeof error.code === 'string' && error.code.startsWith('HPE_');
  // A failed handshake is counted in tls.ts; a connection that just ends is no fault.
  if (!isHttp || !socket.writable) {
    socket.destroy();
    return;
  }
  context.drops.count('http-broken', { entry: listener.entry, words: error.message });
  endSoon(socket, 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', context);
}

function endSoon(socket: Duplex, text: string, context: Context): void {
  socket.end(text);
  const cancel = context.wheel.after(context.limits.lingerMs, () => socket.destroy());
  socket.once('close', cancel);
  // What still comes in is not read by anybody else, and unread bytes would hold the close back.
  socket.resume();
}

function serve(
  request: IncomingMessage,
  response: ServerResponse,
  pages: RequestListener | undefined,
  context: Context,
): void {
  if (pages === undefined) {
    upgradeRequired(response);
    return;
  }
  try {
    pages(request, response);
  } catch (thrown) {
    context.drops.count('receiver-error', { words: String(thrown) });
    context.log.error({ error: String(thrown) }, 'network: a page request failed');
    response.destroy();
  }
}

function upgradeRequired(response: ServerResponse): void {
  response.writeHead(426, {
    'Content-Type': 'text/plain; charset=utf-8',
    Connection: 'close, Upgrade',
    Upgrade: 'websocket',
  });
  response.end('This is SIP over WebSocket (RFC 7118): connect with the sub-protocol "sip".\n');
}
