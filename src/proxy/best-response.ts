/**
 * Which final response goes upstream when all branches failed (RFC 3261 §16.7 steps 6 and 7), and what becomes of 503,
 * 408 and challenges on the way.
 *
 * 3xx are forwarded, but for what a route has followed (§16.7 step 4: `withoutContacts` in context-value.ts). Left out: when it is time to choose (response-context.ts).
 */
import type { ErrorCode } from '../errors.ts';
import type { HeaderLine, SipResponse } from '../message/message.ts';

/** A failure that did not come from downstream: nothing could be sent, nobody answered, the transport failed. */
export interface OwnFailure {
  readonly status: number;
  readonly code: ErrorCode;
  /** Particular to this case: names, or the other side's own words. */
  readonly detail?: string;
}

/** How a branch ended without a 2xx. */
export type Outcome =
  | { readonly kind: 'response'; readonly branch: string; readonly response: SipResponse }
  | { readonly kind: 'own'; readonly branch: string; readonly failure: OwnFailure };

/** The response of a branch to be forwarded. */
export interface Forward {
  readonly do: 'forward';
  readonly response: SipResponse;
  readonly branch: string;
}

/** A final response that we make. */
export interface Respond {
  readonly do: 'respond';
  readonly status: number;
  readonly code?: ErrorCode;
  readonly detail?: string;
}

/** The winner among the outcomes so far; `undefined` when there is none yet. */
export function bestResponse(outcomes: readonly Outcome[]): Forward | Respond | undefined {
  const best = winner(outcomes);
  if (best === undefined) return undefined;
  if (best.kind === 'own') return { do: 'respond', ...upstreamFailure(best.failure) };
  // RFC 3261 §16.7 step 6: a 503 sent upstream would say that this proxy can serve no request at all.
  if (best.response.status === 503) return { do: 'respond', status: 500, code: 'next-hop-unavailable' };
  return { do: 'forward', branch: best.branch, response: withAllChallenges(best, outcomes) };
}

/** RFC 3261 §16.10: the caller gave up, and knows 487 as the answer to that. */
export function cancelledResponse(outcomes: readonly Outcome[], everyBranchAnswered: boolean): Forward | Respond {
  const best = bestResponse(outcomes);
  // RFC 3261 §16.7 step 6: a 6xx outranks every other failure.
  if (best !== undefined && statusOf(best) >= 600) return best;
  const cancelled = outcomes.find((outcome) => outcome.kind === 'response' && outcome.response.status === 487);
  if (cancelled?.kind === 'response') return { do: 'forward', branch: cancelled.branch, response: cancelled.response };
  // All refused before the CANCEL reached them: that is the answer. Else some branch has none, and we say 487 for it.
  return everyBranchAnswered && best !== undefined ? best : { do: 'respond', status: 487 };
}

const statusOf = (best: Forward | Respond): number => (best.do === 'forward' ? best.response.status : best.status);

const status = (outcome: Outcome): number =>
  outcome.kind === 'response' ? outcome.response.status : outcome.failure.status;

// RFC 3261 §16.7 step 6: any 6xx, else the lowest class there is.
const classRank = (outcome: Outcome): number => (status(outcome) >= 600 ? 0 : Math.floor(status(outcome) / 100));

/** The first of those that no other comes before. */
function winner(outcomes: readonly Outcome[]): Outcome | undefined {
  let best: Outcome | undefined;
  for (const outcome of outcomes) {
    if (best === undefined || comesBefore(outcome, best)) best = outcome;
  }
  return best;
}

function comesBefore(a: Outcome, b: Outcome): boolean {
  if (classRank(a) !== classRank(b)) return classRank(a) < classRank(b);
  return preference(a) < preference(b);
}

/** Within a class the choice is ours: first what helps the caller to a better request, last what says least. */
function preference(outcome: Outcome): number {
  // A device that said something knows more than we do about one that we did not reach.
  if (outcome.kind === 'own') return outcome.failure.status === 408 || isUnreachable(outcome.failure) ? 5 : 3;
  switch (outcome.response.status) {
    case 401:
    case 407:
      return 0; // RFC 3261 §16.7 step 6: these tell how to send the request again
    case 415:
    case 420:
    case 484:
      return 1;
    case 408:
    case 487:
    case 503:
      return 4;
    default:
      return 2;
  }
}

/** Failures on the way to one next hop. They say nothing about other requests, so a 503 for them stays here. */
const unreachable: readonly ErrorCode[] = ['transport-failed', 'no-listener', 'name-server-silent'];

const isUnreachable = (failure: OwnFailure): boolean => unreachable.includes(failure.code);

// RFC 3261 §16.9: a transport error counts as a 503 received from downstream, and §16.7 step 6 makes that a 500. A 503
// of our own (no media relay, no database, shutting down) holds for every request, so it goes upstream as it is.
function upstreamFailure(failure: OwnFailure): OwnFailure {
  return failure.status === 503 && isUnreachable(failure) ? { ...failure, status: 500 } : failure;
}

const challengeHeaders = ['www-authenticate', 'proxy-authenticate'];

const isChallenge = (response: SipResponse): boolean => response.status === 401 || response.status === 407;

/** RFC 3261 §16.7 step 7: the caller must see the challenges of all branches, or it can never satisfy them together. */
function withAllChallenges(best: Extract<Outcome, { kind: 'response' }>, outcomes: readonly Outcome[]): SipResponse {
  if (!isChallenge(best.response)) return best.response;
  const others = outcomes.flatMap((outcome) =>
    outcome.kind === 'response' && outcome.branch !== best.branch && isChallenge(outcome.response)
      ? challengesOf(outcome.response)
      : [],
  );
  return others.length === 0 ? best.response : { ...best.response, headers: behindChallenges(best.response, others) };
}

const challengesOf = (response: SipResponse): readonly HeaderLine[] =>
  response.headers.filter((line) => challengeHeaders.includes(line.name));

function behindChallenges(response: SipResponse, lines: readonly HeaderLine[]): readonly HeaderLine[] {
  const last = response.headers.findLastIndex((line) => challengeHeaders.includes(line.name));
  return response.headers.toSpliced(last < 0 ? response.headers.length : last + 1, 0, ...lines);
}
