/** What the phone page shows, as two values: the line (are we registered?) and the call (there is at most one). */
import type { Circumstances } from './quality.ts';
import type { Words } from './reasons.ts';

export type Line =
  | { readonly at: 'signed-out'; readonly why?: Words }
  | { readonly at: 'connecting' }
  | { readonly at: 'registering' }
  | { readonly at: 'registered' }
  | { readonly at: 'failed'; readonly why: Words };

/** The other side of a call. */
export interface Peer {
  /** What people read: the display name, or the user part. */
  readonly name: string;
  /** What was or can be dialled. */
  readonly address: string;
}

export type Call =
  | { readonly at: 'none' }
  /** The browser asks for the microphone. */
  | { readonly at: 'asking'; readonly peer: Peer }
  | { readonly at: 'calling'; readonly peer: Peer }
  | { readonly at: 'ringing'; readonly peer: Peer }
  | { readonly at: 'incoming'; readonly peer: Peer }
  | { readonly at: 'answering'; readonly peer: Peer }
  | Talking
  | {
      readonly at: 'ended';
      readonly peer: Peer;
      readonly why: Words | undefined;
      readonly seconds: number | undefined;
    };

export interface Talking {
  readonly at: 'talking';
  readonly peer: Peer;
  readonly sinceMs: number;
  readonly muted: boolean;
  readonly held: boolean;
  readonly heldByPeer: boolean;
}

/** The state in one sentence, for the live region and for tests. */
export function sentenceOfCall(call: Call): string {
  switch (call.at) {
    case 'none':
      return '';
    case 'asking':
      return 'Allow the microphone to go on';
    case 'calling':
      return `Calling ${call.peer.name}`;
    case 'ringing':
      return `Ringing at ${call.peer.name}`;
    case 'incoming':
      return `${call.peer.name} is calling`;
    case 'answering':
      return `Connecting with ${call.peer.name}`;
    case 'talking':
      return sentenceOfTalking(call);
    case 'ended':
      return call.why === undefined ? 'Call ended' : `${call.why.title}. ${call.why.next}`.trim();
    default:
      return call satisfies never;
  }
}

function sentenceOfTalking(call: Talking): string {
  if (call.held) return `${call.peer.name} is on hold`;
  if (call.heldByPeer) return `${call.peer.name} put you on hold`;
  return call.muted ? `In call with ${call.peer.name}, microphone muted` : `In call with ${call.peer.name}`;
}

export function sentenceOfLine(line: Line): string {
  switch (line.at) {
    case 'signed-out':
      return line.why === undefined ? 'Signed out' : `${line.why.title}. ${line.why.next}`.trim();
    case 'connecting':
      return 'Connecting';
    case 'registering':
      return 'Registering';
    case 'registered':
      return 'Registered';
    case 'failed':
      return `${line.why.title}. ${line.why.next}`.trim();
    default:
      return line satisfies never;
  }
}

/** What a silent call is measured by. */
export function circumstancesOf(call: Call): Circumstances {
  if (call.at === 'none') return { peer: '', muted: false, onHold: false };
  if (call.at !== 'talking') return { peer: call.peer.name, muted: false, onHold: false };
  return { peer: call.peer.name, muted: call.muted, onHold: call.held || call.heldByPeer };
}

/** `1:05`, or `1:01:05` from an hour on. */
export function duration(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = two(Math.floor(seconds) % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
