/**
 * What a PUBLISH asks, as a value (RFC 3903 §6): first publication, refresh, modify or remove.
 *
 * Pure: whether the sender may publish for this address was settled before (§6 steps 2 and 3), whether the entity-tag is
 * still there is checked where the row is written (step 4).
 */
import type { ErrorCode } from '../errors.ts';
import { lower, trim } from '../message/ascii.ts';
import { type Field, field } from '../message/build.ts';
import { get } from '../message/header.ts';
import { Event, SipIfMatch } from '../message/headers/event.ts';
import { Expires, MinExpires } from '../message/headers/numbers.ts';
import { ContentType } from '../message/headers/text.ts';
import type { SipRequest } from '../message/message.ts';
import type { PublicationChange } from '../ports.ts';
import { lifetimeOf, packageNamed, packageNames, packages } from './packages.ts';
import { pidfFault, pidfType } from './pidf.ts';

export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly headers?: readonly Field[];
}

export interface PublishPlan {
  readonly change: PublicationChange;
  /** For the 200. */
  readonly seconds: number;
}

/** `etag`: what a stored publication is known by from now on. */
export function planPublish(
  request: SipRequest,
  context: { readonly aor: string; readonly etag: string; readonly nowMs: number },
): PublishPlan | { readonly refuse: Refusal } {
  const event = packageNamed(get(request, Event)?.name);
  if (event === undefined || packages[event].published === undefined) return { refuse: badEvent(publishedPackages) };
  const seconds = lifetimeOf(get(request, Expires), packages[event]);
  if (seconds === 'too-brief') return { refuse: tooBrief(packages[event].minSeconds) };
  const ifMatch = get(request, SipIfMatch);
  const document = request.body === '' ? undefined : { contentType: mediaType(request), body: request.body };
  const fault = documentFault(document, { ifMatch, seconds });
  if (fault !== undefined) return { refuse: fault };
  const { aor, etag, nowMs } = context;
  const next = seconds === 0 ? undefined : { etag, expiresAtMs: nowMs + seconds * 1000 };
  return { change: { aor, event, ifMatch, next, document: next === undefined ? undefined : document }, seconds };
}

/** The headers of its 200 (§6 step 6): a removed publication has a tag, too, that nobody will use. */
export function publishResponse({ seconds }: PublishPlan, etag: string): readonly Field[] {
  return [
    ['SIP-ETag', etag],
    ['Expires', String(seconds)],
  ];
}

export const publishedPackages = packageNames.filter((name) => packages[name].published !== undefined);

/** RFC 6665 §8.3.2, RFC 3903 §6 step 1. */
export function badEvent(served: readonly string[] = packageNames): Refusal {
  return { status: 489, code: 'bad-event', headers: [['Allow-Events', served.join(', ')]] };
}

export function tooBrief(leastSeconds: number): Refusal {
  return { status: 423, code: 'event-too-brief', headers: [field(MinExpires, leastSeconds)] };
}

/** Without parameters, in lower case. */
export function mediaType(request: SipRequest): string {
  return lower(trim((get(request, ContentType) ?? '').split(';', 1)[0] ?? ''));
}

function documentFault(
  document: PublicationChange['document'],
  { ifMatch, seconds }: { readonly ifMatch: string | undefined; readonly seconds: number },
): Refusal | undefined {
  if (document === undefined) {
    // §6 step 4: what has no tag yet must say something, and there is nothing else to remove.
    return ifMatch === undefined
      ? { status: 400, code: 'malformed', detail: 'A first PUBLISH has a body.' }
      : undefined;
  }
  if (document.contentType !== pidfType) {
    return { status: 415, code: 'presence-type', headers: [['Accept', pidfType]] };
  }
  const fault = seconds === 0 ? undefined : pidfFault(document.body);
  return fault === undefined ? undefined : { status: 400, code: 'malformed', detail: fault };
}
