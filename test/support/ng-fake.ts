/**
 * A stand-in for rtpengine that misbehaves as told: it answers late, twice, with rubbish, or not at all.
 *
 * It speaks the ng protocol over a real UDP socket on loopback, with the `bencode` package's own encoder and the
 * decoder of ours; it knows nothing of media.
 */

import { createSocket, type Socket } from 'node:dgram';
import bencode from 'bencode';
import { decodeReply } from '../../src/adapters/rtpengine/bencode.ts';
import type { NgReply } from '../../src/media/commands.ts';

export interface NgRequest {
  readonly cookie: string;
  readonly command: NgReply;
  /** How often these very bytes have come, this one included. */
  readonly times: number;
  /** The datagram in latin1. */
  readonly text: string;
  /** Where it came from, on loopback. */
  readonly port: number;
}

/** Sends this text (latin1) to the one who asked, now or after a while. */
export type Send = (text: string) => void;

export type Behaviour = (request: NgRequest, send: Send) => void;

export interface NgFake {
  readonly port: number;
  readonly requests: readonly NgRequest[];
  /** From now on. */
  behave(behaviour: Behaviour): void;
  /** Closes the port: who sends to it gets "connection refused". */
  stop(): Promise<void>;
}

/** Answers as rtpengine does when all is well: the offered SDP comes back. */
export const wellBehaved: Behaviour = ({ cookie, command }, send) => send(reply(cookie, answerTo(command)));

export const silent: Behaviour = () => {};

export function reply(cookie: string, value: object): string {
  return `${cookie} ${Buffer.from(bencode.encode(value)).toString('latin1')}`;
}

export function answerTo({ command, sdp }: NgReply): object {
  if (command === 'ping') return { result: 'pong' };
  if (command === 'statistics')
    return { result: 'ok', statistics: { interfaces: [{ ports: { used: 4, free: 196 } }] } };
  return sdp === undefined ? { result: 'ok' } : { result: 'ok', sdp: Buffer.from(String(sdp), 'latin1') };
}

/** `port` 0 picks a free one; a given one brings a stopped fake back to where it was. */
export async function startNgFake(behaviour: Behaviour = wellBehaved, port = 0, host = '127.0.0.1'): Promise<NgFake> {
  const requests: NgRequest[] = [];
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let behave = behaviour;
  socket.on('message', (bytes, from) => {
    const request = read(bytes.toString('latin1'), from.port, requests);
    requests.push(request);
    behave(request, (text) => socket.send(Buffer.from(text, 'latin1'), from.port, from.address, () => {}));
  });
  await listen(socket, port, host);
  return {
    port: socket.address().port,
    requests,
    behave: (next) => {
      behave = next;
    },
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function read(text: string, port: number, before: readonly NgRequest[]): NgRequest {
  const space = text.indexOf(' ');
  const times = 1 + before.filter((each) => each.text === text).length;
  return { cookie: text.slice(0, space), command: decodeReply(text.slice(space + 1)), times, text, port };
}

function listen(socket: Socket, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => resolve());
  });
}
