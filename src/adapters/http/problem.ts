/**
 * Errors of the HTTP side as `application/problem+json` (RFC 9457): for each thing that can be thrown, the status and
 * the words. A row of `errors.ts` keeps its code in `type`; a bug tells its text to the log and not to the client.
 */
import { STATUS_CODES } from 'node:http';
import { Failure } from '../../errors.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
export const PROBLEM_TYPE = `${PROBLEM_MEDIA_TYPE}; charset=utf-8`;

export function problem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail };
}

/** Where the words of the framework say nothing but the status. */
const better: ReadonlyMap<number, string> = new Map([
  [413, 'A body has at most 64 KiB.'],
  [415, 'Send JSON, with "Content-Type: application/json".'],
]);

/** The problem that a thrown value stands for. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Failure) return problemOfFailure(thrown);
  const status = statusOf(thrown);
  if (status >= 500) return problem(status, 'A fault of Viaduct ended this request; the log has the details.');
  const words = better.get(status);
  if (words !== undefined) return problem(status, words);
  const choice = choiceOf(thrown);
  if (choice !== undefined) return problem(status, choice);
  return problem(status, sentence(thrown instanceof Error ? thrown.message : 'The request cannot be served.'));
}

/** Of a word that is none of several: which those are. The framework says as often that it is "equal to constant". */
function choiceOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('validation' in thrown) || !Array.isArray(thrown.validation)) return undefined;
  const faults: readonly unknown[] = thrown.validation;
  const words = faults.slice(0, -1).flatMap((fault) => allowed(fault) ?? []);
  const where = /^\S+ must be equal to constant/.test(thrown.message) ? thrown.message.split(' ', 1)[0] : undefined;
  if (where === undefined || words.length < 2 || words.length !== faults.length - 1) return undefined;
  return `${where} must be one of ${words.join(', ')}.`;
}

function allowed(fault: unknown): string | undefined {
  if (typeof fault !== 'object' || fault === null || !('params' in fault)) return undefined;
  const { params } = fault;
  return typeof params === 'object' && params !== null && 'allowedValue' in params
    ? String(params.allowedValue)
    : undefined;
}

/**
 * The rows' own statuses are SIP's: of them only these mean the same here. Rows without one are faults of settings.
 */
function problemOfFailure(failure: Failure): Problem {
  return {
    type: `urn:viaduct:error:${failure.code}`,
    title: failure.row.meaning,
    status: httpStatus(failure.row.status),
    detail: [failure.detail, failure.row.nextStep]
      .filter((text) => text !== '')
      .map(sentence)
      .join(' '),
  };
}

const sameInHttp: ReadonlySet<number> = new Set([400, 409, 501, 503]);

function httpStatus(status: number): number {
  if (status === 0) return 422;
  return sameInHttp.has(status) ? status : 500;
}

function statusOf(thrown: unknown): number {
  const found = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : 500;
  return typeof found === 'number' && found >= 400 && found <= 599 ? found : 500;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
