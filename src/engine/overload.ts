/**
 * Overload (law 9): when there is more to do than can be done, a share of what begins something new is turned away, so that
 * the rest succeeds. Without that everything comes too late, is repeated, and nothing succeeds.
 *
 * Two signs, since there are two places where work piles up. The event loop that never rests under a crowd of arrivals:
 * the share that is admitted shrinks by a seventh with each look after the fourth, and grows by a fifth of all a second when
 * there is rest again. And statements that wait for the database: while too many have waited for a fifth of a second on
 * end nothing begins, for what came half a second late comes twice (RFC 3261 §17.1.2.2, timer E). Arrivals make it look:
 * it has no timer of its own.
 * Who is turned away hears 503 with Retry-After; in a flood only some do, and the others nothing (§21.5.4), for to read
 * and answer each would leave no time for those that are admitted.
 * Left out: how a refusal is said (receive.ts), and the bounds of each table and queue, which hold besides.
 */
import type { Clock, Load, Log } from '../ports.ts';

const lookMs = 250;
/** Of the time since the last look. */
const mostUtilization = 0.98;
/** In a second. When fewer come, something else keeps the process busy: its own start, a neighbour, a debugger. */
const leastArrivals = 50;
/** Two groups of one statement; two more are on their way. */
const mostWaiting = 500;
/** For so long on end: what has piled up in a pause of either side is written in two or three groups, and nobody was late. */
const fullMs = 200;
/** At once: nobody who comes behind these is served in time. */
const farTooMany = 5_000;
const leastShare = 0.05;
const shrinks = 6 / 7;
const growsPerMs = 0.2 / 1_000;
/**
 * Four may be a pause: to collect the garbage of 180 calls a second takes a third of a second, and what came meanwhile is done
 * in the next two. Nobody is turned away for that: one or two calls in a thousand were, at half of what it can do.
 */
const busyLooksInRow = 5;
/** Of one look: 2 % of the time, at some 40 µs each. */
const mostAnswers = 125;

export type Admission = 'admitted' | 'refused' | 'dropped';

/** What is turned away first, as the start line has it. */
const mayBegin = /^(?:INVITE|REGISTER) /;
const isInDialog = /\n(?:to|t)[ \t]*:[^\n]*;[ \t]*tag[ \t]*=/i;

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
  /** `undefined`: few wait for the database. */
  #fullSinceMs: number | undefined;
  #arrived = 0;
  #busyLooks = 0;
  /** Since it began to refuse, and what of them the last look knew. */
  #refused = 0;
  #told = 0;

  constructor(ports: OverloadPorts) {
    this.#ports = ports;
  }

  /** Of the requests that begin something new: 1 is all of them. */
  get share(): number {
    return this.#share;
  }

  /** Of one more message, as it came: it is not even read when it is dropped. */
  admission(text: string): Admission {
    if (!mayBegin.test(text)) return 'admitted';
    const sinceMs = this.#ports.clock.nowMs() - (this.#lookedAtMs ?? Number.NEGATIVE_INFINITY);
    if (sinceMs >= lookMs) this.#look(sinceMs);
    this.#arrived++;
    const isFull = this.#isFull();
    if ((!isFull && this.#share === 1) || isInDialog.test(text)) return 'admitted';
    if (!isFull && this.#hasCredit()) return 'admitted';
    this.#refused++;
    return this.#refused - this.#told > mostAnswers ? 'dropped' : 'refused';
  }

  #isFull(): boolean {
    const waiting = this.#ports.database.waiting();
    if (waiting <= mostWaiting) {
      this.#fullSinceMs = undefined;
      return false;
    }
    const nowMs = this.#ports.clock.nowMs();
    this.#fullSinceMs ??= nowMs;
    return nowMs - this.#fullSinceMs >= fullMs || waiting > farTooMany;
  }

  #hasCredit(): boolean {
    this.#credit += this.#share;
    if (this.#credit < 1) return false;
    this.#credit -= 1;
    return true;
  }

  #look(sinceMs: number): void {
    const { clock, load } = this.#ports;
    this.#lookedAtMs = clock.nowMs();
    const utilization = load?.utilization() ?? 0;
    const isCrowded = (this.#arrived * 1_000) / sinceMs >= leastArrivals;
    const isBusy = isCrowded && utilization > mostUtilization;
    this.#busyLooks = isBusy ? this.#busyLooks + 1 : 0;
    if (!isBusy) this.#share = Math.min(1, this.#share + growsPerMs * sinceMs);
    else if (this.#busyLooks >= busyLooksInRow) this.#share = Math.max(leastShare, this.#share * shrinks);
    this.#arrived = 0;
    this.#tell(utilization);
  }

  /** Once when it begins to refuse, and once when nobody was refused since the last look. */
  #tell(utilization: number): void {
    const { database, log } = this.#ports;
    const goesOn = this.#refused > this.#told;
    if (goesOn && this.#told === 0) {
      const words = 'More comes than can be done: a part of new calls and registrations is refused';
      log.warn({ utilization, waiting: database.waiting() }, words);
    }
    this.#told = this.#refused;
    if (goesOn || this.#refused === 0 || this.#share < 1) return;
    log.info({ refused: this.#refused }, 'All is served again');
    this.#refused = 0;
    this.#told = 0;
  }
}
