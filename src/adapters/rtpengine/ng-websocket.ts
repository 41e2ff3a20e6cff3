/** ng over WebSocket (rtpengine's `listen-http`, subprotocol `ng.rtpengine.com`): a frame for each command and each reply. */
import { isIPv6 } from 'node:net';
import { type RawData, WebSocket } from 'ws';
import type { ConnectionOptions, Wire, WireEvents } from './ng-connection.ts';

const subprotocol = 'ng.rtpengine.com';
const limits = { perMessageDeflate: false, maxPayload: 1024 * 1024, handshakeTimeout: 5_000 };
const maxUnsent = 4 * 1024 * 1024;

export function dialWebSocket({ host, port }: ConnectionOptions, events: WireEvents): Wire {
  const socket = new WebSocket(`ws://${isIPv6(host) ? `[${host}]` : host}:${port}/`, [subprotocol], limits);
  let reason = 'rtpengine has closed the connection.';
  socket.on('open', () => events.opened());
  socket.on('message', (data) => events.heard(latin1(data)));
  socket.on('error', (error) => {
    reason = error.message;
  });
  socket.on('close', () => events.closed(reason));
  return {
    write: (command) => {
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount <= maxUnsent) socket.send(command);
    },
    // The library has no way to let go of the process; whoever is done closes.
    busy: () => undefined,
    destroy: () => socket.terminate(),
  };
}

function latin1(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('latin1');
  return (Buffer.isBuffer(data) ? data : Buffer.from(data)).toString('latin1');
}
