/**
 * The server side of TLS, for SIP streams and under HTTPS: which certificate is shown (SNI, RFC 6066 §3), whether one is
 * asked for (RFC 5922 §7), and handshakes that do not end.
 */
import type { Server as HttpsServer } from 'node:https';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { Listener } from '../../ports.ts';
import type { Accepted } from './acceptor.ts';
import { plainAddress } from './addresses.ts';
import type { Context } from './context.ts';
import { acceptedStream } from './stream.ts';
import { handshakeFault } from './tls-alerts.ts';
import { peerRefusal, type TlsIdentity, type TlsServerProfile } from './tls-source.ts';

/** Gives each accepted socket to TLS, and what comes out of it to a framed stream. */
export function tlsStreams(
  listener: Listener,
  profile: TlsServerProfile,
  context: Context,
): (accepted: Accepted) => void {
  const server = createServer({ ...serverOptions(profile, context), noDelay: true });
  guardHandshakes(server, listener, profile, context, (socket) => {
    const remote = { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    acceptedStream(socket, context.connections.newFlow(listener, remote, true), context);
  });
  return ({ socket }) => server.emit('connection', socket);
}

/** `rejectUnauthorized` is off because each server name has its own rules; `guardHandshakes` applies them. */
export function serverOptions(profile: TlsServerProfile, context: Context): TlsOptions {
  return {
    ...profile.fallback.options,
    handshakeTimeout: context.limits.handshakeMs,
    requestCert: [profile.fallback, ...profile.named.values()].some((each) => each.verifyPeer || each.requirePeer),
    rejectUnauthorized: false,
    SNICallback: (name, chosen) => chosen(null, identityOf(profile, name).context),
  };
}

/** RFC 8446 §4.4.2.4: the client has finished before we have read its certificate, so no alert reaches its handshake. */
const unseenRefusal =
  'the client saw the handshake succeed and then a close; see verify_certificate, require_certificate and ca_list in tls.cfg';

/** Counts failed handshakes, refuses peers whose certificate breaks the rules, and passes on all others. */
export function guardHandshakes(
  server: Server | HttpsServer,
  listener: Listener,
  profile: TlsServerProfile,
  context: Context,
  secured: (socket: TLSSocket) => void,
): void {
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const { name, words } = handshakeFault(error);
    const about = { entry: listener.entry, source: socket.remoteAddress, fault: name, words };
    context.drops.count('tls-handshake', about, name);
    socket.destroy();
  });
  // First in line: on an HTTPS server the HTTP parser listens as well.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const refusal = peerRefusal(socket, identityOf(profile, serverName(socket)));
    if (refusal === undefined) return secured(socket);
    const words = `${refusal}; ${unseenRefusal}`;
    context.drops.count('certificate-refused', { entry: listener.entry, source: socket.remoteAddress, words });
    socket.destroy();
  });
}

function serverName(socket: TLSSocket): string {
  return 'servername' in socket && typeof socket.servername === 'string' ? socket.servername : '';
}

function identityOf(profile: TlsServerProfile, name: string): TlsIdentity {
  return profile.named.get(name.toLowerCase()) ?? profile.fallback;
}
