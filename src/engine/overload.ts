/**
 * Overload (law 9): when there is more to do than can be done, a share of what begins something new is refused, so that
 * the rest succeeds. Without that everything comes too late, is repeated, and nothing succeeds.
 *
 * While the event loop never rests under a crowd of arrivals, or too many statements wait, the share that is admitted
 * shrinks by three tenths with each look; when there is rest again it grows by a tenth a second. Arrivals make it look: it
 * has no timer of its own.
 * Left out: how a refusal is said (receive.ts), and the bounds of each table and queue, which hold besides.
 */
import type { Clock, Load, Log } from '../ports.ts';

/** In less than this a busy neighbour or a collection of garbage looks like too much work. */
const lookMs = 1_000;
/** Of the time since the last look. */
const mostUtilization = 0.98;
/** In a second. When fewer come, something else keeps the process busy: its own start, a neighbour, a debugger. */
const leastArrivals = 50;
const mostWaiting = 1_000;
const leastShare = 0.05;

export interface OverloadPorts {
  readonly clock: Clock;
  readonly load?: Load;
  readonly database: { waiting(): number };
  readonly log: Log;
}

export class Overload {
  readonly #ports: OverloadPorts;
  #share = 1;
  #credit = 0;
  /** `undefined`: not yet, and what was before is the start. */
  #lookedAtMs: number | undefined;
  #arrived = 0;
  #refused = 0;

  constructor(ports: OverloadPorts) {
    this.#ports = ports;
  }

  /** Of the requests that begin something new: 1 is all of them. */
  get share(): number {
    return this.#share;
  }

  /** Whether one more may begin. */
  admits(): boolean {
    const sinceMs = this.#ports.clock.nowMs() - (this.#lookedAtMs ?? Number.NEGATIVE_INFINITY);
    if (sinceMs >= lookMs) this.#look(sinceMs);
    this.#arrived++;
    if (this.#share === 1) return true;
    this.#credit += this.#share;
    if (this.#credit >= 1) {
      this.#credit -= 1;
      return true;
    }
    this.#refused++;
    return false;
  }

  #look(sinceMs: number): void {
    const { clock, load, database, log } = this.#ports;
    this.#lookedAtMs = clock.nowMs();
    const utilization = load?.utilization() ?? 0;
    const waiting = database.waiting();
    const isCrowded = (this.#arrived * 1_000) / sinceMs >= leastArrivals;
    this.#arrived = 0;
    const before = this.#share;
    const isBusy = (isCrowded && utilization > mostUtilization) || waiting > mostWaiting;
    this.#share = isBusy ? Math.max(leastShare, before * 0.7) : Math.min(1, before + 0.1 * (sinceMs / lookMs));
    if (before === 1 && this.#share < 1) {
      this.#refused = 0;
      log.warn(
        { utilization, waiting },
        'More comes than can be done: a part of new calls and registrations is refused',
      );
    } else if (before < 1 && this.#share === 1) log.info({ refused: this.#refused }, 'All is served again');
  }
}
