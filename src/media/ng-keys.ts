/**
 * The keys by which rtpengine finds the two sides of an exchange: from-tag is the offerer's, to-tag the answerer's,
 * in offer and answer alike (rtpengine turns them round in an answer itself).
 *
 * In the first INVITE the far side is known by its via-branch. Its offer has no to-tag, also when it is given again:
 * with the to-tag of a second callee behind the same branch, rtpengine would open ports that nobody was told of.
 */
import type { OfferCommand } from './commands.ts';
import type { Party, Scope } from './offer-answer.ts';

export interface CallTags {
  readonly callId: string;
  readonly caller: string;
  /** `undefined` until the callee has answered. */
  readonly callee: string | undefined;
  readonly viaBranch: string;
}

type Keys = Pick<OfferCommand, 'call-id' | 'from-tag' | 'to-tag' | 'via-branch'>;

interface Exchanged {
  readonly offerer: Party;
  readonly scope: Scope;
}

export function offerKeys(command: Exchanged, tags: CallTags): Keys {
  if (command.scope === 'dialog') return { 'call-id': tags.callId, ...fromTo(command, tags) };
  if (command.offerer === 'callee')
    return { 'call-id': tags.callId, ...fromTo(command, tags), 'via-branch': tags.viaBranch };
  return { 'call-id': tags.callId, 'from-tag': tags.caller, 'via-branch': tags.viaBranch };
}

export function answerKeys(command: Exchanged, tags: CallTags): Keys & { readonly 'to-tag': string } {
  const keys = { 'call-id': tags.callId, ...fromTo(command, tags) };
  return command.scope === 'dialog' ? keys : { ...keys, 'via-branch': tags.viaBranch };
}

function fromTo({ offerer }: Exchanged, { caller, callee = '' }: CallTags): { 'from-tag': string; 'to-tag': string } {
  return offerer === 'caller' ? { 'from-tag': caller, 'to-tag': callee } : { 'from-tag': callee, 'to-tag': caller };
}
