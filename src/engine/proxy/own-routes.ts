/**
 * What came of a request without our own Route values (RFC 3261 §16.4), and what these say: the token of its dialog, and
 * what another node of ours that has handed it to us tells of it.
 */
import type { Hop } from '../../dialog/hop-token.ts';
import { get } from '../../message/header.ts';
import { CallId } from '../../message/headers/call-id.ts';
import { To, tagOf } from '../../message/headers/from-to.ts';
import type { SipRequest } from '../../message/message.ts';
import type { SipUri } from '../../message/uri.ts';
import { type Preprocessed, preprocess } from '../../proxy/preprocess.ts';
import type { Core } from '../core.ts';

export interface Own extends Preprocessed {
  readonly hop: Hop | undefined;
}

export function withoutOwnRoutes({ domains, nodeRouting }: Core, received: SipRequest): Own {
  const callId = get(received, CallId) ?? '';
  const isUs = (uri: SipUri): boolean => domains.isOurs(uri) || nodeRouting.wrote(uri, callId);
  const { request, token } = preprocess(received, isUs);
  const hop = nodeRouting.readHop(token, callId);
  if (hop === undefined) return { request, token, hop };
  if (hop.purpose === 'over') return { request, token: undefined, hop };
  // Behind what that node says stands the token of the dialog. Without a dialog nobody hands anything on.
  const own = preprocess(request, isUs);
  return { ...own, hop: tagOf(get(request, To)) === undefined ? undefined : hop };
}
