/**
 * Route information preprocessing (RFC 3261 §16.4): undoes a strict router, and takes our own Route values off.
 *
 * Left out: `maddr` of the Request-URI.
 */
import { removeFirst, replaceAll, withUri } from '../message/edit.ts';
import { all } from '../message/header.ts';
import type { NameAddr } from '../message/headers/address.ts';
import { Route } from '../message/headers/route.ts';
import type { SipRequest } from '../message/message.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import { carriesToken, tokenOf } from './record-route.ts';

export interface Preprocessed {
  readonly request: SipRequest;
  /** The user part of the Route value of ours that was taken off. */
  readonly token: string | undefined;
}

/** `isUs`: whether a URI names this proxy. */
export function preprocess(request: SipRequest, isUs: (uri: SipUri) => boolean): Preprocessed {
  const strict = afterStrictRouter(request, isUs);
  return strict ?? withoutOwnRoutes(request, isUs);
}

// A strict router put our Record-Route into the Request-URI, and the real one behind the last Route.
function afterStrictRouter(request: SipRequest, isUs: (uri: SipUri) => boolean): Preprocessed | undefined {
  const uri = parseUri(request.uri);
  const token = uri === undefined || !isUs(uri) ? undefined : tokenOf(uri);
  const routes = all(request, Route);
  const last = routes.at(-1);
  if (token === undefined || last === undefined) return undefined;
  const restored = withUri(replaceAll(request, Route, routes.slice(0, -1)), last.uri);
  // RFC 5658: the other half of our pair may still stand on top.
  const { request: rest } = withoutOwnRoutes(restored, isUs);
  return { request: rest, token };
}

function withoutOwnRoutes(request: SipRequest, isUs: (uri: SipUri) => boolean): Preprocessed {
  const routes = all(request, Route);
  const own = ownOnTop(routes, isUs);
  // A client with an outbound proxy set puts that before the route set: what stands above the token says nothing more.
  const index = own.findIndex((token) => token !== undefined);
  const token = own[index];
  if (token === undefined) return { request: own.length === 0 ? request : removeFirst(request, Route), token };
  // Values with one token are one visit (RFC 5658 §5), also those of the other nodes that this call passes; other values
  // of ours would be a spiral.
  let count = index + 1;
  while (carriesToken(routes[count]?.uri ?? '', token)) count++;
  let rest = request;
  for (let taken = 0; taken < count; taken++) rest = removeFirst(rest, Route);
  return { request: rest, token };
}

/** The token, or `undefined` for none, of each value of ours before the first one of others. */
function ownOnTop(routes: readonly NameAddr[], isUs: (uri: SipUri) => boolean): readonly (string | undefined)[] {
  const uris = routes.map(({ uri }) => parseUri(uri));
  const end = uris.findIndex((uri) => uri === undefined || !isUs(uri));
  return uris.slice(0, end < 0 ? uris.length : end).map((uri) => (uri === undefined ? undefined : tokenOf(uri)));
}
