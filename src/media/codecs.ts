/**
 * Transcoding: the codecs that rtpengine is asked to offer beside those of the author, where the receiver speaks none of
 * these. It takes CPU time for each packet, so it is asked for nowhere else.
 *
 * In a call the receiver's last SDP says what it speaks. Before it has said anything, a telephone is taken to speak G.711,
 * and a browser opus and what else all of them do (RFC 7874 §3, and G.722); between two telephones nothing is guessed.
 * Not every page wants what its browser speaks, though: opus is offered to it besides, behind all that the author named.
 * Where it takes one of those, `withoutAdded` has rtpengine forget the rest of its answer, and nothing is transcoded.
 */
import { lower } from '../message/ascii.ts';
import type { MediaKind } from '../ports.ts';
import { lineAt, sections } from '../sdp/lines.ts';
import { stripFormats } from '../sdp/strip.ts';
import type { OfferCommand } from './commands.ts';

export interface Receiver {
  readonly sender: MediaKind;
  readonly receiver: MediaKind;
  /** The receiver's last SDP in this call. */
  readonly last: string | undefined;
}

/** RFC 3551 §6: those that need no `a=rtpmap`. */
const fixed: ReadonlyMap<string, string> = new Map([
  ['0', 'PCMU'],
  ['3', 'GSM'],
  ['4', 'G723'],
  ['8', 'PCMA'],
  ['9', 'G722'],
  ['18', 'G729'],
]);

const noSpeech: ReadonlySet<string> = new Set(['telephone-event', 'cn', 'red', 'ulpfec']);

const ofTelephones: readonly string[] = ['PCMU', 'PCMA'];
const ofBrowsers: readonly string[] = ['opus', 'PCMU', 'PCMA', 'G722'];

/** More make an INVITE larger, and the first is what will be spoken. */
const mostAdded = 2;

export function codecsFor(to: Receiver, offer: string): Pick<OfferCommand, 'codec'> {
  const offered = namesOf(offer);
  const spoken = to.last === undefined ? usualOf(to) : namesOf(to.last);
  if (spoken.length === 0 || offered.length === 0) return {};
  // What it would rather speak, whatever else it may.
  const certain = to.last === undefined && to.receiver === 'webrtc' ? spoken.slice(0, 1) : spoken;
  if (hasCommon(certain, offered)) return {};
  const added = hasCommon(spoken, offered) ? certain : spoken;
  return { codec: { transcode: added.slice(0, mostAdded) } };
}

/**
 * The answer of a browser without the speech that its offer did not name, where the first that it lists is one that it
 * did: that is what it sends (RFC 3264 §6.1), and with the others rtpengine would be ready to transcode.
 */
export function withoutAdded(answer: string, offer: string): string {
  const offered = namesOf(offer);
  const audio = audioOf(answer);
  const spoken = speechOf(audio);
  const isAdded = ({ name }: Speech): boolean => !hasCommon([name], offered);
  const [first] = spoken;
  if (first === undefined || isAdded(first) || !spoken.some(isAdded)) return answer;
  const added = new Set(spoken.filter(isAdded).map(({ format }) => format));
  return sections(answer)
    .map((section) => (section === audio ? stripFormats(section, added) : section))
    .join('');
}

function usualOf({ sender, receiver }: Receiver): readonly string[] {
  if ((sender === 'webrtc') === (receiver === 'webrtc')) return [];
  return receiver === 'webrtc' ? ofBrowsers : ofTelephones;
}

function hasCommon(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.some((other) => lower(one) === lower(other)));
}

interface Speech {
  readonly format: string;
  readonly name: string;
}

const namesOf = (sdp: string): readonly string[] => speechOf(audioOf(sdp)).map(({ name }) => name);

/** The first audio, as it stands. */
const audioOf = (sdp: string): string => sections(sdp).find((section) => section.startsWith('m=audio ')) ?? '';

/** The codecs of an audio, unless that is off. */
function speechOf(audio: string): readonly Speech[] {
  const [, port, , ...formats] = lineAt(audio, 0).split(' ');
  if (port === '0') return [];
  const named = new Map(
    Array.from(audio.matchAll(/^a=rtpmap:(\d+) +([^/ \r\n]+)/gm), ([, of = '', name = '']) => [of, name]),
  );
  const codecs = formats.map((format) => ({ format, name: named.get(format) ?? fixed.get(format) ?? '' }));
  return codecs.filter(({ name }) => name !== '' && !noSpeech.has(lower(name)));
}
