/**
 * Time limits of HTTP connections. Node keeps its own only for servers that listen themselves; ours are given sockets
 * (acceptor.ts). A client that sends its headers or its body byte by byte is cut off; a response may take its time.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Cancel } from '../../ports.ts';
import type { Context } from './context.ts';

export function watchHttp(server: Server, connected: 'connection' | 'secureConnection', context: Context): void {
  const deadlines = new WeakMap<Socket, Cancel>();

  function disarm(socket: Socket): void {
    deadlines.get(socket)?.();
    deadlines.delete(socket);
  }

  function arm(socket: Socket, expired: () => void): void {
    disarm(socket);
    if (!socket.destroyed) deadlines.set(socket, context.wheel.after(context.limits.handshakeMs, expired));
  }

  function cut(socket: Socket): void {
    context.drops.count('http-timeout', { source: socket.remoteAddress });
    socket.destroy();
  }

  server.on(connected, (socket: Socket) => {
    arm(socket, () => cut(socket));
    socket.once('close', () => disarm(socket));
  });
  server.on('upgrade', (request) => disarm(request.socket));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    arm(socket, () => {
      if (!request.complete) cut(socket);
    });
    // The next request on this connection; between requests `keepAliveTimeout` counts as well.
    response.once('close', () => arm(socket, () => cut(socket)));
  });
}
