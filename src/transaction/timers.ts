/**
 * The timers of RFC 3261 §17 with those of RFC 6026, worked out once per transaction from its transport (RFC 3261
 * Table 4). Timer C is the proxy's (src/proxy/response-context.ts).
 */

export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

export interface TimerBase {
  /** The estimated round trip. */
  readonly t1Ms: number;
  /** The longest interval between retransmissions of a non-INVITE request or an INVITE response. */
  readonly t2Ms: number;
  /** How long a message stays in the network. */
  readonly t4Ms: number;
}

export interface Timers {
  readonly reliable: boolean;
  readonly t2Ms: number;
  /** First retransmission of an INVITE (A), another request (E), a 300-699 to INVITE (G); reliable: `undefined`. */
  readonly retransmitMs: number | undefined;
  /** B, F, H: how long the other side has to answer or to acknowledge. */
  readonly timeoutMs: number;
  /** D: how long an INVITE client transaction absorbs a retransmitted 300-699. 0: it ends at once. */
  readonly dMs: number;
  /** I: how long an INVITE server transaction absorbs a retransmitted ACK. 0: it ends at once. */
  readonly iMs: number;
  /** J: how long a non-INVITE server transaction answers a retransmitted request. 0: it ends at once. */
  readonly jMs: number;
  /** K: how long a non-INVITE client transaction absorbs retransmitted responses. 0: it ends at once. */
  readonly kMs: number;
  /** L and M: how long a 2xx to INVITE may come again (RFC 6026), whatever the transport. */
  readonly acceptedMs: number;
  /** When a non-INVITE request without an answer is due its 100, and over UDP not before (RFC 4320 §4.1). */
  readonly tryingMs: number;
}

/** RFC 3261 Table 4. */
export const timerBase: TimerBase = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

// RFC 3261 §17.1.1.2: timer D is at least 32 s, for nobody knows T1 of the server that sends the response again.
const DURATION_D_MS = 32_000;

export function timers(reliable: boolean, base: TimerBase = timerBase): Timers {
  const sixtyFourMs = 64 * base.t1Ms;
  return {
    reliable,
    t2Ms: base.t2Ms,
    retransmitMs: reliable ? undefined : base.t1Ms,
    timeoutMs: sixtyFourMs,
    dMs: reliable ? 0 : Math.max(DURATION_D_MS, sixtyFourMs),
    iMs: reliable ? 0 : base.t4Ms,
    jMs: reliable ? 0 : sixtyFourMs,
    kMs: reliable ? 0 : base.t4Ms,
    acceptedMs: sixtyFourMs,
    tryingMs: untilTimerEIsT2(base),
  };
}

// RFC 4320 §4.1: the time until timer E of the client has grown to T2; 3.5 s with the values of RFC 3261.
function untilTimerEIsT2({ t1Ms, t2Ms }: TimerBase): number {
  let elapsedMs = 0;
  for (let nextMs = t1Ms; nextMs < t2Ms; nextMs *= 2) elapsedMs += nextMs;
  return elapsedMs;
}
