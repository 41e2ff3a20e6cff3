/**
 * What happens in a call, as values: every message, rtpengine command, timer and decision (DESIGN §1, job 2).
 *
 * An event refers to what was there anyway: the text that came or left, the command and the SDP in the reply. Nothing is
 * copied, parsed or printed until somebody asks; but of rtpengine's statistics, hundreds of values, a few are kept.
 * Left out: what is made of it (ladder.ts, explain.ts, verdicts.ts).
 */
import type { ErrorCode } from '../errors.ts';
import type { MediaKind, NgCommand, NgReply, NgValue, SocketAddress, Transport } from '../ports.ts';
import { type MediaState, mediaStateOf } from './media-state.ts';

export type StoryEvent =
  | MessageEvent
  | NgEvent
  | RoutedEvent
  | DivertedEvent
  | BranchFailedEvent
  | TimerEvent
  | AnsweredEvent
  | MediaFaultEvent
  | EndedEvent;

interface Happened {
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

export interface MessageEvent extends Happened {
  readonly kind: 'message';
  readonly direction: 'in' | 'out';
  readonly transport: Transport;
  readonly remote: SocketAddress;
  /** latin1, credentials and all: `withoutCredentials` before anybody reads it. */
  readonly text: string;
}

/** One rtpengine command and what came of it; `atMs` is when it was asked. */
export interface NgEvent extends Happened {
  readonly kind: 'ng';
  /** Its address, such as `udp:127.0.0.1:22222`. */
  readonly node: string;
  readonly cookie: string;
  readonly command: NgCommand;
  readonly tookMs: number;
  readonly reply?: KeptReply | undefined;
  readonly failure?: { readonly code: ErrorCode; readonly detail: string } | undefined;
  /** Free ports of the node by its last statistics, when the command failed. */
  readonly freePorts?: number | undefined;
  /** It stands for so many questions one behind the other, up to this one; `reply` is that of the last. */
  readonly looks?: { readonly times: number; readonly lastAtMs: number } | undefined;
}

/** What a story needs of a reply. */
export interface KeptReply {
  readonly sdp?: NgValue | undefined;
  readonly warning?: NgValue | undefined;
  readonly media?: MediaState | undefined;
}

export function keptReply(reply: NgReply, nowMs: number): KeptReply {
  return { sdp: reply.sdp, warning: reply.warning, media: mediaStateOf(reply, nowMs) };
}

/** A question for the media of a call that has an answer. */
export function isLook(event: StoryEvent | undefined): event is NgEvent {
  return event?.kind === 'ng' && event.command.command === 'query' && event.failure === undefined;
}

/** Whoever watches a call has rtpengine asked each time: one event, or they would be most of the story. */
export function lookedAgain(first: NgEvent, next: NgEvent): NgEvent {
  return { ...first, reply: next.reply, looks: { times: (first.looks?.times ?? 1) + 1, lastAtMs: next.atMs } };
}

/** rtpengine did not know the call any more. */
export function saysGone({ command, reply, failure }: NgEvent): boolean {
  if (command.command === 'query') return failure?.code === 'media-lost';
  return command.command === 'delete' && command['via-branch'] === undefined && reply?.warning !== undefined;
}

/** The verdict of the routes on a request. */
export interface RoutedEvent extends Happened {
  readonly kind: 'routed';
  readonly method: string;
  readonly verdict: 'relay' | 'reply' | 'drop';
  readonly status?: number | undefined;
  readonly code?: ErrorCode | undefined;
  readonly detail?: string | undefined;
  /** Who logged in. */
  readonly user?: string | undefined;
  readonly targets: readonly StoryTarget[];
}

export interface StoryTarget {
  readonly uri: string;
  /** What its binding says it speaks. */
  readonly media: MediaKind | undefined;
  /** Reached over the connection it registered by. */
  readonly byFlow: boolean;
}

/** One callee did not take it, and it goes on as he wants it (RFC 5806). */
export interface DivertedEvent extends Happened {
  readonly kind: 'diverted';
  readonly from: string;
  readonly to: string;
  readonly why: 'unconditional' | 'do-not-disturb' | 'user-busy' | 'no-answer' | 'unavailable' | 'deflection';
}

export interface BranchFailedEvent extends Happened {
  readonly kind: 'branch-failed';
  readonly uri: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface TimerEvent extends Happened {
  readonly kind: 'timer';
  readonly timer: 'C';
  readonly uri: string;
}

export interface AnsweredEvent extends Happened {
  readonly kind: 'answered';
  readonly uri: string;
  readonly tag: string;
  readonly callerMedia: MediaKind;
  readonly calleeMedia: MediaKind;
  readonly mediaNode: string | undefined;
}

/** What the watch over its media found (engine/media/media-watch.ts), or somebody did to it (engine/media/media-control.ts). */
export interface MediaFaultEvent extends Happened {
  readonly kind: 'media';
  /** Of the verdict; `undefined`: nothing is wrong. */
  readonly code: string | undefined;
  readonly says: string;
}

export interface EndedEvent extends Happened {
  readonly kind: 'ended';
  readonly by: 'caller' | 'callee' | 'viaduct';
  /** Why, when it was us. */
  readonly code?: ErrorCode | undefined;
  readonly detail?: string | undefined;
}

/** What an event costs to keep, in bytes, nearly. */
export function sizeOf(event: StoryEvent): number {
  switch (event.kind) {
    case 'message':
      return 160 + event.text.length;
    case 'ng':
      return 400 + sdpSize(event.command) + sdpSize(event.reply) + (event.reply?.media === undefined ? 0 : 2_000);
    default:
      return 240;
  }
}

function sdpSize(of: NgCommand | KeptReply | undefined): number {
  return of !== undefined && 'sdp' in of && typeof of.sdp === 'string' ? of.sdp.length : 0;
}
