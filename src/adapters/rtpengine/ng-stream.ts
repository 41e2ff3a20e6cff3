/**
 * ng over TCP (rtpengine's `listen-tcp-ng`): commands one behind the other, and replies as they are ready, each `cookie SP
 * dictionary`, with nothing between them. Where one ends its bencode says.
 */
import { connect } from 'node:net';
import type { ConnectionOptions, Wire, WireEvents } from './ng-connection.ts';

/** Of one reply; `query` of a call with many legs is some ten kilobytes. */
const maxReply = 1024 * 1024;
/** More waits in the system than a node can answer in time. */
const maxUnsent = 4 * 1024 * 1024;
const maxCookie = 64;
/** Enough for 64-bit counters, and for the length of a text. */
const maxDigits = 20;

export function dialStream({ host, port }: ConnectionOptions, events: WireEvents): Wire {
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  let rest = '';
  let reason = 'rtpengine has closed the connection.';
  socket.setEncoding('latin1');
  socket.on('connect', () => events.opened());
  socket.on('error', (error) => {
    reason = error.message;
  });
  socket.on('close', () => events.closed(reason));
  socket.on('data', (text: string) => {
    rest += text;
    for (let end = replyEnd(rest); end !== undefined; end = replyEnd(rest)) {
      if (end === 'garbled') {
        reason = 'What came over the connection is no ng.';
        socket.destroy();
        return;
      }
      events.heard(rest.slice(0, end));
      rest = rest.slice(end);
    }
  });
  return {
    write: (command) => {
      if (socket.writableLength <= maxUnsent) socket.write(command);
    },
    busy: (waiting) => void (waiting ? socket.ref() : socket.unref()),
    destroy: () => void socket.destroy(),
  };
}

/** Where the first reply of the text ends; `undefined`: it is not whole. */
export function replyEnd(text: string): number | 'garbled' | undefined {
  const space = text.indexOf(' ');
  if (space < 0) return text.length > maxCookie ? 'garbled' : undefined;
  if (space > maxCookie) return 'garbled';
  const end = valueEnd(text, space + 1);
  return end === undefined && text.length > maxReply ? 'garbled' : end;
}

function valueEnd(text: string, start: number): number | 'garbled' | undefined {
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const end = pieceEnd(text, at);
    if (typeof end !== 'number') return end;
    const first = text[at];
    if (first === 'l' || first === 'd') depth += 1;
    else if (first === 'e') depth -= 1;
    if (depth < 0) return 'garbled';
    if (end > text.length) return undefined;
    at = end;
    if (depth === 0) return at;
  }
  return undefined;
}

/** Of a number or a text as a whole, of a list or dictionary its beginning or its end. */
function pieceEnd(text: string, at: number): number | 'garbled' | undefined {
  const first = text[at] ?? '';
  if (first === 'l' || first === 'd' || first === 'e') return at + 1;
  const isNumber = first === 'i';
  const stop = text.indexOf(isNumber ? 'e' : ':', at);
  const digits = text.slice(isNumber ? at + 1 : at, stop < 0 ? undefined : stop);
  if (!/^-?\d*$/.test(digits) || digits.length > maxDigits) return 'garbled';
  if (stop < 0) return undefined;
  if (isNumber) return stop + 1;
  const length = digits === '' || digits.length > 7 ? Number.NaN : Number(digits);
  return length >= 0 ? stop + 1 + length : 'garbled';
}
