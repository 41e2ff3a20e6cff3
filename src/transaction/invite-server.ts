/**
 * The INVITE server transaction (RFC 3261 §17.2.1, §17.2.4; RFC 6026 for Accepted and timer L).
 *
 *                | INVITE: to TU
 *                V
 *          +------------+   INVITE: last response sent     1xx from TU: sent
 *          | proceeding |
 *          +------------+
 *   300-699 |          | 2xx from TU
 *     sent  |          | sent, L starts
 *  G (unreliable),     |
 *  H start  |          |
 *           V          V
 *   +-----------+   +------------+   2xx from TU: sent    INVITE: absorbed
 *   | completed |   |  accepted  |   ACK: to TU
 *   +-----------+   +------------+
 *    |  INVITE: response sent   | L
 *    |  G: response sent, G = min(2G, T2)
 *    |  H: tell TU, ------+     |
 *    | ACK, I starts      |     |
 *    V                    V     V
 *   +-----------+  I   +------------+
 *   | confirmed |----->| terminated |
 *   +-----------+      +------------+
 *
 * A response that cannot be sent is told to the TU and changes no state (RFC 6026): it may get through the next time.
 * Left out: the 100 after 200 ms. The proxy core sends its 100 itself, at once (§16.2).
 */
import type { SipRequest, SipResponse } from '../message/message.ts';
import {
  type Effect,
  pass,
  repeat,
  send,
  start,
  startRetransmit,
  stop,
  stopRetransmit,
  terminated,
  timeout,
  transportError,
} from './effects.ts';
import type { TimerName, Timers } from './timers.ts';

export type InviteServerState = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';

/** Not the request: it is answered by its responses, and would be kept for half a minute behind them. */
export interface InviteServer {
  readonly state: InviteServerState;
  readonly timers: Timers;
  /** Something was said, and is for each retransmitted INVITE; not so a 2xx. */
  readonly hasAnswered: boolean;
  /** Timer G as it runs now; `undefined` on a reliable transport. */
  readonly retransmitMs: number | undefined;
}

/** What happens to a server transaction of either kind. */
export type ServerEvent =
  /** The request again, or the ACK. */
  | { readonly on: 'request'; readonly request: SipRequest }
  /** From the transaction user. */
  | { readonly on: 'respond'; readonly response: SipResponse }
  | { readonly on: 'timer'; readonly timer: TimerName }
  | { readonly on: 'transport-error' };

type Step = readonly [InviteServer, readonly Effect[]];

export function createInviteServer(request: SipRequest, timers: Timers): Step {
  const { retransmitMs } = timers;
  return [{ state: 'proceeding', timers, hasAnswered: false, retransmitMs }, [pass(request)]];
}

const states = {
  proceeding,
  completed,
  confirmed,
  accepted,
  terminated: ignore,
} satisfies Record<InviteServerState, (tx: InviteServer, event: ServerEvent) => Step>;

export function stepInviteServer(tx: InviteServer, event: ServerEvent): Step {
  return states[tx.state](tx, event);
}

function proceeding(tx: InviteServer, event: ServerEvent): Step {
  switch (event.on) {
    case 'request':
      return isAck(event.request) ? ignore(tx) : answerAgain(tx); // ACK: there is nothing to acknowledge yet
    case 'respond':
      return respond(tx, event.response);
    case 'timer': // none runs
      return ignore(tx);
    case 'transport-error':
      return [tx, [transportError]];
  }
}

function completed(tx: InviteServer, event: ServerEvent): Step {
  switch (event.on) {
    case 'request':
      return isAck(event.request) ? confirm(tx) : answerAgain(tx);
    case 'respond': // RFC 3261 §17.2.1: a response after the final one is discarded
      return ignore(tx);
    case 'timer':
      if (event.timer === 'G') return retransmit(tx);
      // RFC 3261 §17.2.1: the ACK never came.
      return event.timer === 'H' ? end(tx, timeout) : ignore(tx);
    case 'transport-error':
      return [tx, [transportError]];
  }
}

function confirmed(tx: InviteServer, event: ServerEvent): Step {
  switch (event.on) {
    case 'request': // the ACK again, or an INVITE that it overtook
    case 'respond': // late
    case 'transport-error': // nothing is sent here
      return ignore(tx);
    case 'timer':
      return event.timer === 'I' ? end(tx) : ignore(tx); // G, H: stopped
  }
}

function accepted(tx: InviteServer, event: ServerEvent): Step {
  switch (event.on) {
    case 'request':
      // RFC 6026 §7.1: the INVITE is absorbed, as the 2xx is repeated from end to end; an ACK for it belongs to the TU.
      return isAck(event.request) ? [tx, [pass(event.request)]] : ignore(tx);
    case 'respond':
      // RFC 6026 §7.1: each 2xx is sent; 1xx and 300-699 come too late.
      return isSuccess(event.response) ? [tx, [send(event.response)]] : ignore(tx);
    case 'timer':
      return event.timer === 'L' ? end(tx) : ignore(tx); // G, H, I: never started
    case 'transport-error':
      return [tx, [transportError]];
  }
}

function respond(tx: InviteServer, response: SipResponse): Step {
  const next = { ...tx, hasAnswered: true };
  const { acceptedMs, timeoutMs } = tx.timers;
  if (response.status < 200) return [next, [send(response)]];
  if (isSuccess(response)) {
    return [{ ...tx, state: 'accepted' }, [send(response), start('L', acceptedMs)]];
  }
  // RFC 3261 §17.2.1: a 300-699 is repeated on unreliable transports only; the ACK is awaited on all.
  const waiting = [...startRetransmit('G', tx.retransmitMs), start('H', timeoutMs)];
  return [{ ...next, state: 'completed' }, [send(response), ...waiting]];
}

function answerAgain(tx: InviteServer): Step {
  return tx.hasAnswered ? [tx, [repeat]] : ignore(tx);
}

function retransmit(tx: InviteServer): Step {
  if (tx.retransmitMs === undefined) return ignore(tx);
  const retransmitMs = Math.min(tx.retransmitMs * 2, tx.timers.t2Ms);
  return [{ ...tx, retransmitMs }, [repeat, start('G', retransmitMs)]];
}

function confirm(tx: InviteServer): Step {
  const stops = [...stopRetransmit('G', tx.retransmitMs), stop('H')];
  const { iMs } = tx.timers;
  if (iMs === 0) return [{ ...tx, state: 'terminated' }, [...stops, terminated]];
  return [{ ...tx, state: 'confirmed' }, [...stops, start('I', iMs)]];
}

function end(tx: InviteServer, ...told: readonly Effect[]): Step {
  return [{ ...tx, state: 'terminated' }, [...told, terminated]];
}

function ignore(tx: InviteServer): Step {
  return [tx, []];
}

const isAck = (request: SipRequest): boolean => request.method === 'ACK';
const isSuccess = (response: SipResponse): boolean => response.status >= 200 && response.status < 300;
