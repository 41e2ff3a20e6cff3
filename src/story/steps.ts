/**
 * A story as steps in words: each message with its label, each rtpengine command with its outcome, each decision.
 * The ladder draws them, REST hands them out.
 */
import { errors } from '../errors.ts';
import { get } from '../message/header.ts';
import { CSeq } from '../message/headers/cseq.ts';
import type { SipMessage } from '../message/message.ts';
import { describeSdp, isSdp } from '../sdp/describe.ts';
import { withoutCredentials } from './credentials.ts';
import type { BranchFailedEvent, DivertedEvent, EndedEvent, NgEvent, RoutedEvent, StoryEvent } from './events.ts';
import { nameOf, type Party, type Passage, type Passages } from './passages.ts';
import { readable } from './readable.ts';

export type Tone = 'plain' | 'good' | 'bad' | 'quiet';

export interface Step {
  readonly atMs: number;
  readonly kind: StoryEvent['kind'];
  /** Numbered as in RFC 3665; messages only. */
  readonly number: number | undefined;
  /** Messages only: who stands at the other end, and whether it came from there. */
  readonly party: Party | undefined;
  readonly incoming: boolean;
  readonly label: string;
  readonly tone: Tone;
  /** Of a message, without credentials. */
  readonly text: string | undefined;
  /** How often it passed. */
  readonly times: number;
  readonly lastAtMs: number;
}

export function stepsOf(events: readonly StoryEvent[], { byEvent }: Passages): readonly Step[] {
  let number = 0;
  const steps = events.flatMap((event): readonly Step[] => {
    if (event.kind !== 'message') return [note(event)];
    const passage = byEvent.get(event);
    if (passage === undefined) return [];
    number++;
    return [messageStep(passage, number)];
  });
  return lookedOnce(steps);
}

/** Whoever watches a call has rtpengine asked each time: one step, so that the ladder stays that of the call. */
function lookedOnce(steps: readonly Step[]): readonly Step[] {
  const told: Step[] = [];
  for (const step of steps) {
    const last = told.at(-1);
    if (last === undefined || !isLook(last) || !isLook(step)) told.push(step);
    else told[told.length - 1] = { ...last, times: last.times + step.times, lastAtMs: step.lastAtMs };
  }
  return told;
}

const isLook = ({ kind, label }: Step): boolean => kind === 'ng' && label.startsWith('rtpengine: query,');

function messageStep({ event, message, party, times, lastAtMs }: Passage, number: number): Step {
  return {
    atMs: event.atMs,
    kind: 'message',
    number,
    party,
    incoming: event.direction === 'in',
    label: labelOf(message),
    tone: toneOf(message),
    text: readable(withoutCredentials(event.text)),
    times,
    lastAtMs,
  };
}

/** `INVITE (sdp: webrtc)`, `200 OK (sdp: rtp)`, `200 OK for BYE`. */
export function labelOf(message: SipMessage): string {
  const sdp = isSdp(message) ? describeSdp(message.body) : undefined;
  const body =
    sdp === undefined ? '' : ` (sdp: ${sdp.kind}${sdp.direction === 'sendrecv' ? '' : `, ${sdp.direction}`})`;
  if (message.kind === 'request') return `${message.method}${body}`;
  const method = get(message, CSeq)?.method ?? 'INVITE';
  return `${message.status} ${readable(message.reason)}${method === 'INVITE' ? '' : ` for ${method}`}${body}`;
}

function toneOf(message: SipMessage): Tone {
  if (message.kind === 'request' || message.status < 200) return 'plain';
  if (message.status < 300) return 'good';
  return message.status === 401 || message.status === 407 || message.status === 487 ? 'quiet' : 'bad';
}

type NoteEvent = Exclude<StoryEvent, { kind: 'message' }>;

function note(event: NoteEvent): Step {
  const { words, tone } = wordsOf(event);
  const { atMs, kind } = event;
  const { times, lastAtMs } = (event.kind === 'ng' ? event.looks : undefined) ?? { times: 1, lastAtMs: atMs };
  const common = { number: undefined, party: undefined, incoming: false, text: undefined };
  return { atMs, kind, label: readable(words), tone, ...common, times, lastAtMs };
}

interface Said {
  readonly words: string;
  readonly tone: Tone;
}

function wordsOf(event: NoteEvent): Said {
  switch (event.kind) {
    case 'ng':
      return ngWords(event);
    case 'routed':
      return routedWords(event);
    case 'diverted':
      return { words: divertedWords(event), tone: 'quiet' };
    case 'branch-failed':
      return failedWords(event);
    case 'timer':
      return { words: `timer ${event.timer}: ${nameOf(event.uri)} rang too long, cancelled`, tone: 'bad' };
    case 'answered':
      return { words: `answered: ${event.callerMedia} caller, ${event.calleeMedia} callee`, tone: 'good' };
    case 'media':
      return { words: event.says, tone: event.code === undefined ? 'good' : 'bad' };
    case 'ended':
      return endedWords(event);
  }
}

function ngWords({ node, command, tookMs, failure }: NgEvent): Said {
  const profile = command.command === 'offer' ? ` ${command['transport-protocol'] ?? ''}` : '';
  const branch = command.command === 'delete' && command['via-branch'] !== undefined ? ' of one branch' : '';
  const what = `${command.command}${profile}${branch}`;
  if (failure === undefined) return { words: `rtpengine: ${what}, ok in ${tookMs} ms`, tone: 'quiet' };
  const detail = failure.detail === '' ? '' : ` ${failure.detail}`;
  return { words: `rtpengine ${node}: ${what}, ${failure.code} after ${tookMs} ms.${detail}`, tone: 'bad' };
}

function routedWords({ method, verdict, status, code, targets, user }: RoutedEvent): Said {
  const by = user === undefined ? '' : ` (login ${user})`;
  if (verdict === 'drop') return { words: `${method} dropped: ${code ?? ''}`, tone: 'bad' };
  if (verdict === 'relay') {
    const where = targets.map(({ uri, media }) => `${nameOf(uri)}${media === undefined ? '' : ` as ${media}`}`);
    return { words: `${method}${by} goes to ${where.join(', ')}`, tone: 'quiet' };
  }
  const isChallenge = status === 401 || status === 407;
  const why = code === undefined ? '' : `: ${errors[code].meaning}`;
  return { words: `${method}${by} answered ${status}${why}`, tone: isChallenge ? 'quiet' : code ? 'bad' : 'plain' };
}

const divertedBecause = {
  unconditional: 'sends every call on',
  'do-not-disturb': 'does not want to be disturbed',
  'user-busy': 'is busy',
  'no-answer': 'does not answer',
  unavailable: 'has no device that can be reached',
  deflection: 'was not there and named another (3xx)',
} as const satisfies Record<DivertedEvent['why'], string>;

function divertedWords({ from, to, why }: DivertedEvent): string {
  return `${nameOf(from)} ${divertedBecause[why]}: the call goes on to ${to.replace(/^sips?:/, '')}`;
}

function failedWords({ uri, code, detail }: BranchFailedEvent): Said {
  return { words: `${nameOf(uri)}: ${errors[code].meaning}${detail === '' ? '' : ` ${detail}`}`, tone: 'bad' };
}

function endedWords({ by, code, detail }: EndedEvent): Said {
  if (by !== 'viaduct') return { words: `the ${by} hung up`, tone: 'plain' };
  const why = code === undefined ? '' : `: ${errors[code].meaning}${detail ? ` ${detail}` : ''}`;
  return { words: `Viaduct ended the call${why}`, tone: 'bad' };
}
