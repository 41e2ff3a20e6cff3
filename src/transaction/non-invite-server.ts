/**
 * The non-INVITE server transaction (RFC 3261 §17.2.2, §17.2.4; RFC 4320).
 *
 *               | request: to TU
 *               V
 *         +------------+   request: absorbed
 *         |   trying   |
 *         +------------+
 *  200-699 from |  | 100 from TU: sent
 *      TU: sent |  V
 *         +------------+   request: 100 sent             transport error: tell TU
 *         | proceeding |-----------------------------------------+
 *         +------------+                                         |
 *              |  | 200-699 from TU: sent                        |
 *              V  V J starts                                     |
 *         +------------+   request: response sent                |
 *         | completed  |-----------------------------------------+
 *         +------------+                  transport error: tell TU
 *               | J                                              |
 *               V                                                |
 *         +------------+                                         |
 *         | terminated |<----------------------------------------+
 *         +------------+
 *
 * RFC 4320 §4.1: of the provisional responses only 100 is sent; when is up to the TU (`Timers.tryingMs`).
 * RFC 4320 §4.2: a 408 is not sent, for the client has given up; the transaction completes in silence.
 */
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type Effect, pass, repeat, send, start, terminated, transportError } from './effects.ts';
import type { ServerEvent } from './invite-server.ts';
import type { Timers } from './timers.ts';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';

/** Not the request: it is answered by its response, and would be kept for half a minute behind it. */
export interface NonInviteServer {
  readonly state: NonInviteServerState;
  readonly timers: Timers;
  /** Something was said, and is for each retransmitted request. */
  readonly hasAnswered: boolean;
}

type Step = readonly [NonInviteServer, readonly Effect[]];

export function createNonInviteServer(request: SipRequest, timers: Timers): Step {
  return [{ state: 'trying', timers, hasAnswered: false }, [pass(request)]];
}

const states = {
  trying,
  proceeding,
  completed,
  terminated: ignore,
} satisfies Record<NonInviteServerState, (tx: NonInviteServer, event: ServerEvent) => Step>;

export function stepNonInviteServer(tx: NonInviteServer, event: ServerEvent): Step {
  return states[tx.state](tx, event);
}

function trying(tx: NonInviteServer, event: ServerEvent): Step {
  switch (event.on) {
    case 'request': // RFC 3261 §17.2.2: discarded while there is nothing to say
      return ignore(tx);
    case 'respond':
      return respond(tx, event.response);
    case 'timer': // none runs
    case 'transport-error': // nothing was sent
      return ignore(tx);
  }
}

function proceeding(tx: NonInviteServer, event: ServerEvent): Step {
  switch (event.on) {
    case 'request':
      return answerAgain(tx);
    case 'respond':
      return respond(tx, event.response);
    case 'timer': // none runs
      return ignore(tx);
    case 'transport-error':
      return end(tx, transportError);
  }
}

function completed(tx: NonInviteServer, event: ServerEvent): Step {
  switch (event.on) {
    case 'request':
      return answerAgain(tx);
    case 'respond': // RFC 3261 §17.2.2: a response after the final one is discarded
      return ignore(tx);
    case 'timer':
      return event.timer === 'J' ? end(tx) : ignore(tx); // no other runs
    case 'transport-error':
      return end(tx, transportError);
  }
}

function respond(tx: NonInviteServer, response: SipResponse): Step {
  // RFC 4320 §4.1: nobody waits for a 101-199 to a non-INVITE request.
  if (response.status > 100 && response.status < 200) return ignore(tx);
  if (response.status === 100) return [{ ...tx, state: 'proceeding', hasAnswered: true }, [send(response)]];
  // RFC 4320 §4.2: a 408 only meets a transaction that timed out as well.
  if (response.status === 408) return complete({ ...tx, hasAnswered: false }, []);
  return complete({ ...tx, hasAnswered: true }, [send(response)]);
}

function complete(tx: NonInviteServer, effects: readonly Effect[]): Step {
  const { jMs } = tx.timers;
  if (jMs === 0) return [{ ...tx, state: 'terminated' }, [...effects, terminated]];
  return [{ ...tx, state: 'completed' }, [...effects, start('J', jMs)]];
}

function answerAgain(tx: NonInviteServer): Step {
  return tx.hasAnswered ? [tx, [repeat]] : ignore(tx);
}

function end(tx: NonInviteServer, ...told: readonly Effect[]): Step {
  return [{ ...tx, state: 'terminated' }, [...told, terminated]];
}

function ignore(tx: NonInviteServer): Step {
  return [tx, []];
}
