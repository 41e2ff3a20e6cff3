/**
 * What passed and what was refused, in numbers, for the statistics. Every key set is bounded (law 9).
 */
import type { ErrorCode } from '../../errors.ts';
import type { PushOutcome } from '../../ports.ts';

const knownMethods = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'INFO',
  'PRACK',
  'UPDATE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'MESSAGE',
  'REFER',
] as const;
const known: ReadonlySet<string> = new Set(knownMethods);

export class Counters {
  readonly requests: Record<string, number> = {};
  readonly responses: Record<string, number> = {};
  /** By method and class, as in `INVITE 2xx`. */
  readonly classes: Record<string, number> = {};
  readonly refusals: Record<string, number> = {};
  readonly dropped: Record<string, number> = {};
  /** Answers of REST and of the pages, by status. */
  readonly http: Record<string, number> = {};
  /** What the watch over the media found, by code of the verdict. */
  readonly mediaFaults: Record<string, number> = {};
  /** By what came of them. */
  readonly pushes: Record<string, number> = {};
  /** Calls that a push brought to a device. */
  woken = 0;
  mediaLooks = 0;
  /** Ended calls whose record could not be kept. */
  lostRecords = 0;
  answered = 0;
  failed = 0;

  request(method: string): void {
    add(this.requests, bucketOf(method));
  }

  /** A final or provisional response sent upstream. */
  response(status: number, method: string): void {
    add(this.responses, String(status));
    add(this.classes, `${bucketOf(method)} ${Math.floor(status / 100)}xx`);
  }

  refusal(code: ErrorCode): void {
    add(this.refusals, code);
  }

  httpAnswer(status: number): void {
    add(this.http, String(status));
  }

  mediaFault(code: string): void {
    add(this.mediaFaults, code);
  }

  push(outcome: PushOutcome): void {
    add(this.pushes, outcome);
  }

  drop(why: string): void {
    add(this.dropped, why);
  }
}

function bucketOf(method: string): string {
  return known.has(method) ? method : 'other';
}

function add(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
