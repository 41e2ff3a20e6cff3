/**
 * One line in the log for each refusal, with the row of `errors.ts` that explains it (law 8).
 *
 * Bounded: a scanner must not fill the disk, nor hide other refusals, so each code has its own rate; what was left out is
 * counted in the next line. The statistics count all of them (counters.ts).
 */
import { type ErrorCode, errors } from '../../errors.ts';
import { get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import type { Clock, Log } from '../../ports.ts';
import type { Reply, Request } from '../api.ts';

const burst = 10;
const perSecond = 1;

interface Budget {
  readonly left: number;
  readonly atMs: number;
  readonly leftOut: number;
}

export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Log;
  /** One entry per row at most. */
  readonly #budgets = new Map<ErrorCode, Budget>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  note({ message, flow }: Request, { code, status, detail = '' }: Reply): void {
    // A bug was logged with its stack.
    if (code === undefined || code === 'internal') return;
    const leftOut = this.#spend(code);
    if (leftOut === undefined) return;
    const { meaning, nextStep } = errors[code];
    const known = { callId: get(message, CallId), method: message.method, from: flow.remote.address, status, code };
    const fields = { ...known, nextStep, ...(detail === '' ? {} : { detail }), ...(leftOut === 0 ? {} : { leftOut }) };
    this.#log[status >= 500 ? 'warn' : 'info'](fields, meaning);
  }

  /** How many lines of this code were left out before; `undefined` when this one is as well. */
  #spend(code: ErrorCode): number | undefined {
    const nowMs = this.#clock.nowMs();
    const old = this.#budgets.get(code) ?? { left: burst, atMs: nowMs, leftOut: 0 };
    const left = Math.min(burst, old.left + ((nowMs - old.atMs) * perSecond) / 1000);
    const mayWrite = left >= 1;
    const leftOut = mayWrite ? 0 : old.leftOut + 1;
    this.#budgets.set(code, { left: mayWrite ? left - 1 : left, atMs: nowMs, leftOut });
    return mayWrite ? old.leftOut : undefined;
  }
}
