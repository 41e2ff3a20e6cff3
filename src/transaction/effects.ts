/**
 * Everything a transaction asks for: the one list that the engine performs, in its order. A transaction does nothing.
 *
 * `terminated` comes last and once: the transaction is to be forgotten, and what timers it has with it.
 */
import type { SipMessage } from '../message/message.ts';
import type { TimerName } from './timers.ts';

export type Effect =
  | { readonly do: 'send'; readonly message: SipMessage }
  /** What was sent last, byte for byte: its text is kept, not what it was made of. */
  | { readonly do: 'repeat' }
  /** Starts the timer, or starts it anew; when it fires, the transaction gets `{on: 'timer'}`. */
  | { readonly do: 'start'; readonly timer: TimerName; readonly ms: number }
  | { readonly do: 'stop'; readonly timer: TimerName }
  /** Up to the transaction user: the proxy core. */
  | { readonly do: 'pass'; readonly message: SipMessage }
  /** The other side did not answer (B, F) or did not acknowledge (H). */
  | { readonly do: 'timeout' }
  | { readonly do: 'transport-error' }
  | { readonly do: 'terminated' };

export const send = (message: SipMessage): Effect => ({ do: 'send', message });
export const repeat: Effect = { do: 'repeat' };
export const pass = (message: SipMessage): Effect => ({ do: 'pass', message });
export const start = (timer: TimerName, ms: number): Effect => ({ do: 'start', timer, ms });
export const stop = (timer: TimerName): Effect => ({ do: 'stop', timer });
export const timeout: Effect = { do: 'timeout' };
export const transportError: Effect = { do: 'transport-error' };
export const terminated: Effect = { do: 'terminated' };

/** Starts a timer that sends again; none where the transport loses nothing. */
export const startRetransmit = (timer: TimerName, ms: number | undefined): readonly Effect[] =>
  ms === undefined ? [] : [start(timer, ms)];

export const stopRetransmit = (timer: TimerName, ms: number | undefined): readonly Effect[] =>
  ms === undefined ? [] : [stop(timer)];
