/** `viaduct explain`: why a call went as it did, with the next step; for somebody in trouble, at a terminal. */
import type { Static } from 'typebox';
import { ExplanationBody } from '../../routes/http/schemas.ts';
import type { Tone } from '../story/steps.ts';
import { idOf, isRefusal, read, type Words, withoutStory } from './calls.ts';
import type { Running } from './running.ts';
import { type Screen, writeLine } from './terminal.ts';
import { wrapped } from './wrapped.ts';

export const explainHelp = `viaduct explain [ID] [--sdp] [--follow] [--url http://HOST:PORT]

Why a call went as it did: the verdict and the next step, each side with its
media profile, packets and quality, and what rtpengine changed in each SDP.
ID is that of \`viaduct calls\`, or a Call-ID; without one it is the newest call.

  --sdp      with the changed lines of each SDP
  --follow   again whenever the verdict changes, until the call ends
`;

type Explained = Static<typeof ExplanationBody>;
type Leg = Explained['legs'][number];
type Exchange = Explained['exchanges'][number];

const pollMs = 2_000;

export async function explainCommand(
  running: Running,
  screen: Screen,
  { words, follow, sdp }: Words,
  wait: (ms: number) => Promise<void>,
): Promise<number> {
  const id = await idOf(running, words[0]);
  let shown: string | undefined;
  for (;;) {
    const body = await read(running, `/api/v1/calls/${id}/explain`, ExplanationBody);
    if (body === undefined) throw await withoutStory(running, id, words[0]);
    const verdicts = body.verdicts.map(({ number }) => number).join(' ');
    if (verdicts !== shown) writeExplanation(screen, body, sdp);
    shown = verdicts;
    if (!follow || body.call.state === 'ended' || body.call.state === 'failed') return 0;
    await wait(pollMs);
  }
}

export function writeExplanation(screen: Screen, { call, verdicts, legs, exchanges }: Explained, sdp: boolean): void {
  writeLine(screen, `${call.from} → ${call.to}   ${call.state}${isRefusal(call.status) ? ` ${call.status}` : ''}`);
  writeLine(
    screen,
    `${call.startedAt.slice(0, 19).replace('T', ' ')} UTC   ${call.id}   Call-ID ${call.callId}`,
    'quiet',
  );
  writeLine(screen, '');
  for (const verdict of verdicts) writeVerdict(screen, verdict);
  for (const leg of legs) writeLeg(screen, leg, noMedia(call, exchanges));
  if (exchanges.length > 0) writeLine(screen, 'Offer and answer');
  for (const exchange of exchanges) writeExchange(screen, exchange, Date.parse(call.startedAt), sdp);
}

const tones: Readonly<Record<Explained['verdicts'][number]['level'], Tone>> = {
  error: 'bad',
  warning: 'bad',
  notice: 'plain',
  ok: 'good',
};

function writeVerdict(screen: Screen, { number, level, says, nextStep }: Explained['verdicts'][number]): void {
  for (const line of wrapped(`${level === 'ok' ? '' : `${level}: `}${says} [${number}]`, '', screen.columns)) {
    writeLine(screen, line, tones[level]);
  }
  for (const line of wrapped(nextStep, '  ', screen.columns)) writeLine(screen, line);
  writeLine(screen, '');
}

/** Why nothing is said of what came from a side. */
function noMedia({ state, answeredAt }: Explained['call'], exchanges: readonly Exchange[]): string {
  if (exchanges.length === 0) return 'rtpengine was not asked';
  if (answeredAt === null) return state === 'ringing' ? 'none yet, nobody has answered' : 'none, nobody has answered';
  return 'rtpengine has said nothing of it';
}

function writeLeg(screen: Screen, leg: Leg, none: string): void {
  const { party, userAgent, profile, why, media } = leg;
  const agent = userAgent === '' ? '' : `   ${userAgent}`;
  const left = leg.inCall ? '' : '   (not in the call)';
  writeLine(screen, `${party.role} ${party.name}   ${party.transport} ${party.address}${agent}${left}`);
  const lines = [
    profile === null ? `profile: none, because ${why}` : `profile: ${profile}, because ${why}`,
    media === null ? `media: ${none}` : mediaWords(media, leg.noQuality),
  ];
  for (const line of lines.flatMap((text) => wrapped(text, '  ', screen.columns))) writeLine(screen, line);
  writeLine(screen, '');
}

function mediaWords(media: NonNullable<Leg['media']>, noQuality: Leg['noQuality']): string {
  const { packets, bytes, silentSeconds, ice, dtls, srtp, quality, local, remote } = media;
  const last = silentSeconds === null || silentSeconds < 3 ? '' : `, silent for ${silentSeconds} s`;
  const secure = [`ICE ${ice}`, `DTLS ${dtls}`, `SRTP ${srtp}`].join(', ');
  const heard =
    quality === null
      ? `no MOS: ${noQuality ?? 'unknown'}`
      : `MOS ${quality.mos}, jitter ${quality.jitterMs} ms, ${quality.lossPercent} % lost, round trip ${quality.roundTripMs} ms`;
  return `media: ${packets} packets (${Math.round(bytes / 1024)} KiB) came from ${remote} to ${local}${last}; ${secure}; ${heard}`;
}

function writeExchange(screen: Screen, exchange: Exchange, startedAtMs: number, sdp: boolean): void {
  const { kind, by, callee, at, tookMs, node, cookie, flags, failure, words, changes } = exchange;
  const since = ((Date.parse(at) - startedAtMs) / 1000).toFixed(3);
  const between = by === 'caller' ? `for ${callee ?? 'the callee'}` : `of ${callee ?? 'the callee'} for the caller`;
  writeLine(
    screen,
    `  +${since}  ${kind}${by === 'caller' ? ' of the caller' : ''} ${between}: ${failure === null ? 'ok' : 'refused'} after ${tookMs} ms`,
  );
  const told = Object.entries(flags).map(([key, value]) => `${key}=${value}`);
  const lines = [
    `by rtpengine ${node}, cookie ${cookie}`,
    ...(failure === null ? [] : [`refused: ${failure}`]),
    ...(words.length === 0 ? [] : [`changed: ${words.join('; ')}`]),
    ...(told.length === 0 ? [] : [`told: ${told.join(' ')}`]),
  ];
  for (const line of lines.flatMap((text) => wrapped(text, '          ', screen.columns))) writeLine(screen, line);
  if (!sdp) return;
  for (const { section, removed, added } of changes) {
    writeLine(screen, `          ${section}`, 'quiet');
    for (const line of removed) writeLine(screen, `          - ${line}`, 'bad');
    for (const line of added) writeLine(screen, `          + ${line}`, 'good');
  }
}
