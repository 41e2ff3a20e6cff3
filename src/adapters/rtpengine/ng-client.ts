/**
 * The ng client of one rtpengine node: a connected UDP socket (the kernel drops what comes from elsewhere and reports
 * a closed port at once), or a connection over TCP or WebSocket, and every command repeated with the same bytes until it is
 * answered, for a connection may be lost as well.
 *
 * rtpengine answers a repeated cookie from memory, whoever asks and whatever the body says, for 30 to 60 s. So a
 * repetition allocates nothing twice, and a cookie is 128 random bits and never used again.
 * Whatever arrives is counted, at worst; nothing that a peer sends is an exception here.
 */
import { Failure, failureOf } from '../../errors.ts';
import type { NgCommand, NgReply } from '../../media/commands.ts';
import type { Cancel, Clock, Log, Random } from '../../ports.ts';
import { decodeReply, encodeCommand } from './bencode.ts';
import { type ConnectedSocket, connectSocket } from './connected-socket.ts';
import { type ConnectionOptions, connectionOver } from './ng-connection.ts';
import { acceptReply } from './ng-reply.ts';
import { dialStream } from './ng-stream.ts';
import { dialWebSocket } from './ng-websocket.ts';
import type { NgTransport } from './node-address.ts';

/** When the same bytes are sent again, and when it is given up; both counted from the first sending. */
export interface Patience {
  readonly repeatAtMs: readonly number[];
  readonly deadlineMs: number;
}

/** For a call: under two seconds in all, so that another node can still be tried while the caller waits. */
export const patient: Patience = { repeatAtMs: [250, 500, 1000], deadlineMs: 1750 };
/** For asking whether anybody is there. */
export const brief: Patience = { repeatAtMs: [], deadlineMs: 400 };

/** What one UDP datagram over IPv4 carries. */
const maxDatagramBytes = 65_507;
const cookieBytes = 16;
/** Finished cookies that are remembered, to tell a late or double reply from a stray one. */
const maxFinished = 256;

export interface NgClientOptions {
  /** Default `udp`. */
  readonly transport?: NgTransport;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly maxInFlight?: number;
  /** The node's port is closed (ICMP); its commands go on until their deadline. */
  readonly onRefused?: (reason: string) => void;
}

export interface NgCounters {
  readonly sent: number;
  readonly repeated: number;
  readonly timedOut: number;
  /** Answers that came after the deadline, or again. */
  readonly late: number;
  readonly duplicate: number;
  /** Replies to nothing that was asked, and bytes that are no reply. */
  readonly stray: number;
  readonly undecodable: number;
}

export interface NgClient {
  /** Rejects with a `Failure`: media-timeout, media-busy, media-lost, media-refused, media-garbled or overloaded. */
  send(command: NgCommand, patience?: Patience, used?: (cookie: string) => void): Promise<NgReply>;
  counters(): NgCounters;
  inFlight(): number;
  /** Ends what is in flight with media-down. */
  close(): void;
}

interface Pending {
  readonly command: NgCommand;
  readonly datagram: Buffer;
  readonly done: (outcome: NgReply | Failure) => void;
  cancel: Cancel;
}

export function openNgClient(options: NgClientOptions): NgClient {
  const { clock, random, maxInFlight = 1000 } = options;
  const pending = new Map<string, Pending>();
  const finished = new Map<string, 'answered' | 'timed-out'>();
  const counters = { sent: 0, repeated: 0, timedOut: 0, late: 0, duplicate: 0, stray: 0, undecodable: 0 };
  const socket = connectors[options.transport ?? 'udp']({
    host: options.host,
    port: options.port,
    onMessage: receive,
    onConnected: () => {
      for (const each of pending.values()) transmit(each);
    },
    onError: (reason) => {
      options.log.debug({ rtpengine: `${options.host}:${options.port}`, reason }, 'rtpengine socket');
      options.onRefused?.(reason);
    },
  });
  let closed = false;

  function send(command: NgCommand, patience = patient, used?: (cookie: string) => void): Promise<NgReply> {
    const cookie = random.hex(cookieBytes);
    used?.(cookie);
    const datagram = encodeCommand(cookie, command);
    const refused = refusal(datagram);
    if (refused !== undefined) return Promise.reject(refused);
    return new Promise((resolve, reject) => {
      const done = (outcome: NgReply | Failure): void =>
        outcome instanceof Failure ? reject(outcome) : resolve(outcome);
      const entry: Pending = { command, datagram, done, cancel: () => {} };
      pending.set(cookie, entry);
      socket.busy(true);
      counters.sent += 1;
      transmit(entry);
      wait(cookie, entry, patience, 0);
    });
  }

  function refusal(datagram: Buffer): Failure | undefined {
    if (closed) return new Failure('media-down', 'Viaduct has closed its side.');
    if (pending.size >= maxInFlight) return new Failure('overloaded', `${pending.size} commands wait for rtpengine.`);
    if (datagram.length > maxDatagramBytes)
      return new Failure('media-refused', 'The SDP does not fit into a datagram.');
    return undefined;
  }

  function wait(cookie: string, entry: Pending, patience: Patience, step: number): void {
    const at = patience.repeatAtMs[step];
    const since = patience.repeatAtMs[step - 1] ?? 0;
    entry.cancel = clock.after((at ?? patience.deadlineMs) - since, () => {
      if (at === undefined) return expire(cookie);
      counters.repeated += 1;
      transmit(entry);
      wait(cookie, entry, patience, step + 1);
    });
  }

  function transmit(entry: Pending): void {
    socket.send(entry.datagram);
  }

  function expire(cookie: string): void {
    counters.timedOut += 1;
    socket.silent();
    finish(cookie, 'timed-out')?.done(new Failure('media-timeout', `${options.host}:${options.port}`));
  }

  function finish(cookie: string, how: 'answered' | 'timed-out'): Pending | undefined {
    const entry = pending.get(cookie);
    entry?.cancel();
    pending.delete(cookie);
    socket.busy(pending.size > 0);
    remember(finished, cookie, how);
    return entry;
  }

  function receive(text: string): void {
    const space = text.indexOf(' ');
    const cookie = text.slice(0, Math.max(space, 0));
    const entry = pending.get(cookie);
    if (entry === undefined) {
      unexpected(cookie);
      return;
    }
    // Not the answer, and the real one may still come: bytes that are not bencode end nothing.
    const outcome = read(entry.command, text.slice(space + 1));
    if (outcome instanceof Failure && outcome.code === 'media-garbled') counters.undecodable += 1;
    else finish(cookie, 'answered')?.done(outcome);
  }

  function unexpected(cookie: string): void {
    const before = finished.get(cookie);
    if (before === 'answered') counters.duplicate += 1;
    else if (before === 'timed-out') counters.late += 1;
    else counters.stray += 1;
  }

  function close(): void {
    closed = true;
    for (const cookie of [...pending.keys()])
      finish(cookie, 'timed-out')?.done(new Failure('media-down', 'Viaduct is stopping.'));
    socket.close();
  }

  return { send, close, counters: () => ({ ...counters }), inFlight: () => pending.size };
}

const connectors: Readonly<Record<NgTransport, (options: ConnectionOptions) => ConnectedSocket>> = {
  udp: connectSocket,
  tcp: (options) => connectionOver(dialStream, options),
  ws: (options) => connectionOver(dialWebSocket, options),
};

function read(command: NgCommand, text: string): NgReply | Failure {
  try {
    return acceptReply(command, decodeReply(text));
  } catch (thrown) {
    return failureOf(thrown);
  }
}

function remember(
  finished: Map<string, 'answered' | 'timed-out'>,
  cookie: string,
  how: 'answered' | 'timed-out',
): void {
  finished.set(cookie, how);
  const oldest = finished.keys().next();
  if (finished.size > maxFinished && oldest.done !== true) finished.delete(oldest.value);
}
