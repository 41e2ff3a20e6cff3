/** What a dialog is known by (RFC 3261 §12): of the messages within it, and of an INVITE that wants its place (RFC 3891). */
import { trim } from '../message/ascii.ts';
import { get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { From, To, tagOf } from '../message/headers/from-to.ts';
import { Replaces } from '../message/headers/text.ts';
import type { SipMessage } from '../message/message.ts';
import { param, parsePieces } from '../message/params.ts';

export interface DialogNames {
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
}

export function namesOf(message: SipMessage): DialogNames {
  const fromTag = tagOf(get(message, From)) ?? '';
  return { callId: get(message, CallId) ?? '', fromTag, toTag: tagOf(get(message, To)) ?? '' };
}

/** RFC 3891 §3: the tags as the receiver has them, so `toTag` is its own. `undefined`: there is none, or it cannot be read. */
export function namesOfReplaced(message: SipMessage): DialogNames | undefined {
  const [callId = '', ...pieces] = (get(message, Replaces) ?? '').split(';').map(trim);
  const params = parsePieces(pieces) ?? [];
  const [fromTag, toTag] = [param(params, 'from-tag'), param(params, 'to-tag')];
  return callId === '' || !fromTag || !toTag ? undefined : { callId, fromTag, toTag };
}
