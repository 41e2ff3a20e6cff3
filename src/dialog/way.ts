/**
 * The way of a request in a dialog (RFC 3261 §12.2.1.1), and whether its sender has kept to it (law 10).
 *
 * Left out: sides that are reached by a flow; those need no way.
 */
import { all } from '../message/header.ts';
import { Route } from '../message/headers/route.ts';
import type { SipRequest } from '../message/message.ts';
import { parseUri, uriEquals } from '../message/uri.ts';
import type { DialogSide } from '../ports.ts';

/**
 * RFC 3261 §12.2.1.1: a request in a dialog goes by the dialog's route set to its remote target. The route set never
 * changes, so another one is made up (`undefined`); the target may have changed while the request was on its way.
 */
export function wayTo(
  { routeSet, remoteTarget }: Pick<DialogSide, 'routeSet' | 'remoteTarget'>,
  message: SipRequest,
): string | undefined {
  const routes = all(message, Route);
  const same =
    routes.length === routeSet.length && routes.every(({ uri }, index) => isSame(uri, routeSet[index] ?? ''));
  if (!same) return undefined;
  return isSame(message.uri, remoteTarget) ? message.uri : remoteTarget;
}

/** Where a request goes first (RFC 3261 §16.6 step 6). */
export function nextOf(message: SipRequest): string {
  return all(message, Route)[0]?.uri ?? message.uri;
}

/** Whether these URIs are the same place (RFC 3261 §19.1.4). */
export function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [parseUri(one), parseUri(other)];
  return a !== undefined && b !== undefined && uriEquals(a, b);
}
