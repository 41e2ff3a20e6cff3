/**
 * Connections that we open, for requests to an address that has none (RFC 3261 §18.1.1). They leave from the address
 * of the listener, so that the peer sees one host for both directions.
 *
 * RFC 5922 §7: over TLS the peer proves the name that was asked for (or its address, when no name led there) before
 * anything is sent.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Flow, Listener, SocketAddress } from '../../ports.ts';
import type { Context } from './context.ts';
import { diallingStream, type StreamConnection } from './stream.ts';
import { dialFault } from './tls-alerts.ts';
import { peerRefusal, type TlsClientProfile } from './tls-source.ts';

/**
 * The kernel asks a peer that is silent for so long. It keeps the way through firewalls open, which forget it within some
 * minutes, and a dead connection does not wait for the next call to swallow it.
 */
const probeAfterMs = 60_000;

export function dialTcp(listener: Listener, remote: SocketAddress, context: Context): Flow {
  const socket = connectTcp({ ...route(listener, remote), noDelay: true });
  const connection = dialling(socket, listener, remote, undefined, context);
  socket.once('connect', () => connection.opened());
  return connection.flow;
}

export function dialTls(
  listener: Listener,
  remote: SocketAddress,
  serverName: string | undefined,
  profile: TlsClientProfile,
  context: Context,
): Flow {
  const socket = connectTls(tlsOptions(listener, remote, serverName, profile));
  const connection = dialling(socket, listener, remote, serverName, context);
  socket.setNoDelay(true);
  // Before the stream hears of it: Node's words are advice to programmers.
  socket.prependListener('error', (error) => {
    const fault = dialFault(error);
    if (fault !== undefined) connection.abandon('dial-tls', fault.words, fault.name);
  });
  socket.once('secureConnect', () => opened(socket, connection, profile));
  return connection.flow;
}

function tlsOptions(
  listener: Listener,
  remote: SocketAddress,
  serverName: string | undefined,
  profile: TlsClientProfile,
) {
  const expected = profile.serverName ?? serverName ?? remote.address;
  return {
    ...route(listener, remote),
    secureContext: profile.context,
    rejectUnauthorized: profile.verifyPeer,
    // RFC 6066 §3: an address is no server name.
    servername: isIP(expected) === 0 ? expected : '',
    checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(expected, certificate),
  };
}

function opened(socket: TLSSocket, connection: StreamConnection, profile: TlsClientProfile): void {
  const refusal = profile.verifyPeer ? peerRefusal(socket, { ...profile, requirePeer: true }) : undefined;
  if (refusal === undefined) connection.opened();
  else connection.abandon('certificate-refused', refusal);
}

function route(listener: Listener, remote: SocketAddress) {
  return { host: remote.address, port: remote.port, localAddress: listener.local.address };
}

function dialling(
  socket: Socket,
  listener: Listener,
  remote: SocketAddress,
  serverName: string | undefined,
  context: Context,
): StreamConnection {
  context.dialled.add(socket);
  socket.once('connect', () => socket.setKeepAlive(true, probeAfterMs));
  const flow = context.connections.newFlow(listener, remote, false);
  const connection = diallingStream(socket, flow, serverName, context);
  const cancel = context.wheel.after(context.limits.connectMs, () =>
    connection.abandon('connect-timeout', `no connection within ${context.limits.connectMs} ms`),
  );
  for (const event of [flow.transport === 'tls' ? 'secureConnect' : 'connect', 'close']) socket.once(event, cancel);
  return connection;
}
