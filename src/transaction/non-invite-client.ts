/**
 * The non-INVITE client transaction (RFC 3261 §17.1.2, §17.1.4).
 *
 *               | request sent, E (unreliable) and F start
 *               V
 *         +------------+   E: request sent, E = min(2E, T2)     F, transport error: tell TU
 *         |   trying   |----------------------------------------------+
 *         +------------+                                              |
 *      200-699 |  | 1xx: to TU                                        |
 *              |  V                                                   |
 *         +------------+   E: request sent, E = T2; 1xx: to TU        |
 *         | proceeding |----------------------------------------------+
 *         +------------+                        F, transport error: tell TU
 *              |  | 200-699                                           |
 *              V  V to TU, K starts                                   |
 *         +------------+                                              |
 *         | completed  |   responses: absorbed                        |
 *         +------------+                                              |
 *               | K                                                   |
 *               V                                                     |
 *         +------------+                                              |
 *         | terminated |<---------------------------------------------+
 *         +------------+
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
import type { ClientEvent } from './invite-client.ts';
import type { Timers } from './timers.ts';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';

export interface NonInviteClient {
  readonly state: NonInviteClientState;
  readonly timers: Timers;
  /** Timer E as it runs now; `undefined` on a reliable transport. */
  readonly retransmitMs: number | undefined;
}

type Step = readonly [NonInviteClient, readonly Effect[]];

export function createNonInviteClient(request: SipRequest, timers: Timers): Step {
  const { retransmitMs, timeoutMs } = timers;
  const tx: NonInviteClient = { state: 'trying', timers, retransmitMs };
  return [tx, [send(request), ...startRetransmit('E', retransmitMs), start('F', timeoutMs)]];
}

const states = {
  trying,
  proceeding,
  completed,
  terminated: ignore,
} satisfies Record<NonInviteClientState, (tx: NonInviteClient, event: ClientEvent) => Step>;

export function stepNonInviteClient(tx: NonInviteClient, event: ClientEvent): Step {
  return states[tx.state](tx, event);
}

function trying(tx: NonInviteClient, event: ClientEvent): Step {
  // RFC 3261 §17.1.2.2: each retransmission waits twice as long, but never longer than T2.
  return pending(tx, event, Math.min((tx.retransmitMs ?? 0) * 2, tx.timers.t2Ms));
}

function proceeding(tx: NonInviteClient, event: ClientEvent): Step {
  // RFC 3261 §17.1.2.2: the server is known to work on it; the request is repeated every T2 from now on.
  return pending(tx, event, tx.timers.t2Ms);
}

function pending(tx: NonInviteClient, event: ClientEvent, nextMs: number): Step {
  switch (event.on) {
    case 'response':
      return received(tx, event.response);
    case 'timer':
      if (event.timer === 'E') return retransmit(tx, nextMs);
      return event.timer === 'F' ? end(tx, timeout) : ignore(tx);
    case 'transport-error':
      return end(tx, transportError);
  }
}

function completed(tx: NonInviteClient, event: ClientEvent): Step {
  switch (event.on) {
    case 'response': // a retransmission
      return ignore(tx);
    case 'timer':
      return event.timer === 'K' ? end(tx) : ignore(tx); // E, F: stopped
    case 'transport-error': // nothing is sent here
      return ignore(tx);
  }
}

function received(tx: NonInviteClient, response: SipResponse): Step {
  if (response.status < 200) return [{ ...tx, state: 'proceeding' }, [pass(response)]];
  const effects = [...stopRetransmit('E', tx.retransmitMs), stop('F'), pass(response)];
  const { kMs } = tx.timers;
  if (kMs === 0) return [{ ...tx, state: 'terminated' }, [...effects, terminated]];
  return [{ ...tx, state: 'completed' }, [...effects, start('K', kMs)]];
}

function retransmit(tx: NonInviteClient, retransmitMs: number): Step {
  if (tx.retransmitMs === undefined) return ignore(tx);
  return [{ ...tx, retransmitMs }, [repeat, start('E', retransmitMs)]];
}

function end(tx: NonInviteClient, ...told: readonly Effect[]): Step {
  return [{ ...tx, state: 'terminated' }, [...told, terminated]];
}

function ignore(tx: NonInviteClient): Step {
  return [tx, []];
}
