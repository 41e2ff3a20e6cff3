/**
 * Who may ask for what over HTTP, as one decision on plain values. `/health` is for everyone. Pages are for everyone
 * who reaches them; on loopback without a token the Host header must name this machine, because a page from elsewhere
 * that rebinds its DNS name to 127.0.0.1 would otherwise read the answers. REST needs the token wherever one is set,
 * and on every port but our own HTTP one.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

export type Target = 'health' | 'page' | 'api';

export interface Caller {
  /** Came to our own HTTP port; otherwise by a port that we were mounted on (wss). */
  readonly direct: boolean;
  readonly loopback: boolean;
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  /** Changes something: neither GET nor HEAD. */
  readonly changes: boolean;
  readonly origin: string | undefined;
}

export interface Access {
  readonly apiToken: string | undefined;
  /** Names without port that mean this machine, in lower case. */
  readonly allowedHosts: ReadonlySet<string>;
}

export interface Refusal {
  readonly status: 400 | 401 | 403;
  readonly detail: string;
}

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** `undefined`: go ahead. */
export function refusal(target: Target, caller: Caller, access: Access): Refusal | undefined {
  if (target === 'health') return undefined;
  const host = hostName(caller.host);
  if (host === undefined) return { status: 400, detail: 'The Host header is missing or unreadable.' };
  if (access.apiToken === undefined) return withoutToken(target, caller, host, access);
  return target === 'page' ? undefined : withToken(caller, access.apiToken);
}

/** A page from elsewhere may send a POST without asking first; its browser says where the page is from. */
function sameOrigin({ origin, host }: Caller): boolean {
  return origin === undefined || origin.replace(/^https?:\/\//, '').toLowerCase() === host?.toLowerCase();
}

function withoutToken(target: Target, caller: Caller, host: string, access: Access): Refusal | undefined {
  if (caller.direct && !LOOPBACK_NAMES.has(host) && !access.allowedHosts.has(host)) {
    return { status: 403, detail: `The Host header names ${host}; without API_TOKEN only this machine may ask.` };
  }
  if (caller.changes && !sameOrigin(caller)) {
    return { status: 403, detail: `A page of ${caller.origin} may not change anything here; set API_TOKEN.` };
  }
  if (target === 'page' || (caller.direct && caller.loopback)) return undefined;
  return { status: 403, detail: 'Set API_TOKEN to use the REST API from here.' };
}

function withToken(caller: Caller, apiToken: string): Refusal | undefined {
  const given = /^Bearer +(\S+) *$/i.exec(caller.authorization ?? '')?.[1];
  if (given === undefined) return { status: 401, detail: 'Send the API token as "Authorization: Bearer TOKEN".' };
  return sameSecret(given, apiToken) ? undefined : { status: 401, detail: 'The API token is not the right one.' };
}

/** Hashing first gives both the same length, so that the time taken says nothing about the token. */
function sameSecret(given: string, wanted: string): boolean {
  return timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(wanted).digest());
}

/** The name in a Host header, lower case and without port; `undefined` where it is not one. */
export function hostName(host: string | undefined): string | undefined {
  return HOST.exec(host ?? '')?.[1]?.toLowerCase();
}

export function isLoopbackName(host: string | undefined): boolean {
  const name = hostName(host);
  return name !== undefined && LOOPBACK_NAMES.has(name);
}

export function isLoopbackAddress(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}
