/**
 * The INVITE client transaction (RFC 3261 §17.1.1, §17.1.4; RFC 6026 for Accepted and timer M).
 *
 *                 | INVITE sent, A (unreliable) and B start
 *                 V
 *          +-------------+   A: INVITE sent, A doubled            B, transport error: tell TU
 *          |   calling   |-------------------------------------------------+
 *          +-------------+                                                 |
 *      300-699 |  | 1xx  | 2xx                                             |
 *          |   |  V      |                                                 |
 *          |  +------------+   1xx: to TU                 transport error: tell TU
 *          |  | proceeding |-----------------------------------------------+
 *          |  +------------+                                               |
 *          |   | 300-699 | 2xx                                             |
 *   ACK sent, to TU   to TU, M starts                                      |
 *   D starts   |         |                                                 |
 *          V   V         V                                                 |
 *    +-----------+   +------------+                                        |
 *    | completed |   |  accepted  |   2xx: to TU                           |
 *    +-----------+   +------------+                                        |
 *     |  300-699: ACK sent   | M                                           |
 *     |  D, transport error  V                                             |
 *     |                +------------+                                      |
 *     +--------------->| terminated |<-------------------------------------+
 *                      +------------+
 *
 * The ACK for a 2xx is not of this transaction (§13.2.2.4). Left out: CANCEL, which is a transaction of its own (§9.1),
 * and giving up after it, which the response context does.
 */
import { ackFor } from '../message/build.ts';
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

export type InviteClientState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';

export interface InviteClient {
  readonly state: InviteClientState;
  /** For the ACK of a failure. `undefined` once it is answered: it would be kept for half a minute behind its 2xx. */
  readonly request: SipRequest | undefined;
  readonly timers: Timers;
  /** Timer A as it runs now; `undefined` on a reliable transport. */
  readonly retransmitMs: number | undefined;
}

/** What happens to a client transaction of either kind. */
export type ClientEvent =
  | { readonly on: 'response'; readonly response: SipResponse }
  | { readonly on: 'timer'; readonly timer: TimerName }
  | { readonly on: 'transport-error' };

type Step = readonly [InviteClient, readonly Effect[]];

export function createInviteClient(request: SipRequest, timers: Timers): Step {
  const { retransmitMs, timeoutMs } = timers;
  const tx: InviteClient = { state: 'calling', request, timers, retransmitMs };
  return [tx, [send(request), ...startRetransmit('A', retransmitMs), start('B', timeoutMs)]];
}

const states = {
  calling,
  proceeding,
  completed,
  accepted,
  terminated: ignore,
} satisfies Record<InviteClientState, (tx: InviteClient, event: ClientEvent) => Step>;

export function stepInviteClient(tx: InviteClient, event: ClientEvent): Step {
  return states[tx.state](tx, event);
}

function calling(tx: InviteClient, event: ClientEvent): Step {
  switch (event.on) {
    case 'response':
      // RFC 3261 §17.1.1.2: a provisional response ends the retransmissions, and timer B with them.
      return received(tx, event.response, [...stopRetransmit('A', tx.retransmitMs), stop('B')]);
    case 'timer':
      if (event.timer === 'A') return retransmit(tx);
      return event.timer === 'B' ? end(tx, timeout) : ignore(tx);
    case 'transport-error':
      return end(tx, transportError);
  }
}

function proceeding(tx: InviteClient, event: ClientEvent): Step {
  switch (event.on) {
    case 'response':
      return received(tx, event.response, []);
    case 'timer': // A or B, fired while the 1xx was on its way
      return ignore(tx);
    case 'transport-error': // the connection closed: no response can come any more
      return end(tx, transportError);
  }
}

function completed(tx: InviteClient, event: ClientEvent): Step {
  switch (event.on) {
    case 'response':
      // RFC 3261 §17.1.1.2: a final response that comes again gets its ACK again, and is not passed up.
      if (event.response.status >= 300) return [tx, [repeat]];
      return ignore(tx); // 1xx, 2xx: overtaken by the final response
    case 'timer':
      return event.timer === 'D' ? end(tx) : ignore(tx); // A, B: stopped
    case 'transport-error':
      return end(tx, transportError);
  }
}

function accepted(tx: InviteClient, event: ClientEvent): Step {
  switch (event.on) {
    case 'response':
      // RFC 6026 §7.2: each 2xx goes up, also those of other branches downstream.
      if (event.response.status >= 200 && event.response.status < 300) return [tx, [pass(event.response)]];
      return ignore(tx); // 1xx, 300-699: of a fork further down that lost
    case 'timer':
      return event.timer === 'M' ? end(tx) : ignore(tx); // A, B: stopped
    case 'transport-error': // nothing is sent here: the ACK is the user agent's
      return ignore(tx);
  }
}

function received(tx: InviteClient, response: SipResponse, stops: readonly Effect[]): Step {
  if (response.status < 200) return [{ ...tx, state: 'proceeding' }, [...stops, pass(response)]];
  if (response.status >= 300) return complete(tx, response, stops);
  const accepted: InviteClient = { ...tx, state: 'accepted', request: undefined };
  return [accepted, [...stops, pass(response), start('M', tx.timers.acceptedMs)]];
}

function complete(tx: InviteClient, response: SipResponse, stops: readonly Effect[]): Step {
  const effects = [...stops, ...acknowledgement(tx, response), pass(response)];
  const { dMs } = tx.timers;
  // RFC 3261 §17.1.1.2: timer D is zero where the transport repeats nothing.
  if (dMs === 0) return [{ ...tx, state: 'terminated' }, [...effects, terminated]];
  return [{ ...tx, state: 'completed', request: undefined }, [...effects, start('D', dMs)]];
}

function acknowledgement({ request }: InviteClient, response: SipResponse): readonly Effect[] {
  return request === undefined ? [] : [send(ackFor(request, response))];
}

/** RFC 3261 §17.1.1.2: A doubles each time, without a limit other than timer B. */
function retransmit(tx: InviteClient): Step {
  if (tx.retransmitMs === undefined) return ignore(tx);
  const retransmitMs = tx.retransmitMs * 2;
  return [{ ...tx, retransmitMs }, [repeat, start('A', retransmitMs)]];
}

function end(tx: InviteClient, ...told: readonly Effect[]): Step {
  return [{ ...tx, state: 'terminated' }, [...told, terminated]];
}

function ignore(tx: InviteClient): Step {
  return [tx, []];
}
