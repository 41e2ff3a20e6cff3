/**
 * Transcoding: the codecs that rtpengine is asked to offer beside those of the author, where the receiver speaks none of
 * these. It takes CPU time for each packet, so it is asked for nowhere else.
 *
 * In a call the receiver's last SDP says what it speaks. Before it has said anything, a telephone is taken to speak G.711,
 * and a browser what all of them do (RFC 7874 §3, and G.722); between two telephones nothing is guessed.
 */
import { lower } from '../message/ascii.ts';
import type { MediaKind } from '../ports.ts';
import { lineAt, sections } from '../sdp/lines.ts';
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
  const spoken = to.last === undefined ? usualOf(to) : speechOf(to.last);
  const offered = speechOf(offer).map(lower);
  const hasCommon = spoken.some((codec) => offered.includes(lower(codec)));
  if (spoken.length === 0 || offered.length === 0 || hasCommon) return {};
  return { codec: { transcode: spoken.slice(0, mostAdded) } };
}

function usualOf({ sender, receiver }: Receiver): readonly string[] {
  if ((sender === 'webrtc') === (receiver === 'webrtc')) return [];
  return receiver === 'webrtc' ? ofBrowsers : ofTelephones;
}

/** The codecs of the first audio, unless that is off. */
function speechOf(sdp: string): readonly string[] {
  const audio = sections(sdp).find((section) => section.startsWith('m=audio ')) ?? '';
  const [, port, , ...formats] = lineAt(audio, 0).split(' ');
  if (port === '0') return [];
  const named = new Map(
    Array.from(audio.matchAll(/^a=rtpmap:(\d+) +([^/ \r\n]+)/gm), ([, of = '', name = '']) => [of, name]),
  );
  const codecs = formats.map((format) => named.get(format) ?? fixed.get(format) ?? '');
  return codecs.filter((codec) => codec !== '' && !noSpeech.has(lower(codec)));
}
