/**
 * RFC 3264 §6: an answer has an m= line for each of the offer. Telephones drop those that they do not know (video), and a
 * browser then takes none of the answer.
 */
import { trim } from '../message/ascii.ts';
import { lineAt, sections } from './lines.ts';

/** With the media of the offer that the answer says nothing of, refused (port 0). */
export function completeAnswer(answer: string, offer: string): string {
  const answered = mediaOf(answer).length;
  const missing = answered === 0 ? [] : mediaOf(offer).slice(answered);
  const whole = answer.endsWith('\n') || missing.length === 0 ? answer : `${answer}\r\n`;
  return whole + missing.map(refused).join('');
}

function mediaOf(sdp: string): readonly string[] {
  return sections(sdp)
    .slice(1)
    .map((medium) => lineAt(medium, 0));
}

/** `m=video 4000 RTP/AVP 96 97` */
const refused = (medium: string): string => `${trim(medium).replace(/^(m=\S+) +\S+/, '$1 0')}\r\n`;
