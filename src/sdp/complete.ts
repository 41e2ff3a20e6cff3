/**
 * RFC 3264 §6 and §8: an answer has an m= line for each of the offer, and a later offer one for each that the session has.
 * Telephones leave out what they do not know (video), and a browser then takes neither their answer nor their hold.
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

/** With the media of the session that the offer says nothing of, taken out (port 0). */
export function completeOffer(offer: string, session: { readonly offer: string; readonly answer: string }): string {
  return completeAnswer(completeAnswer(offer, session.offer), session.answer);
}

/** Without media that its offer, before it was completed, said nothing of. */
export function asOffered(answer: string, offer: string): string {
  const offered = mediaOf(offer).length;
  const [session = '', ...media] = sections(answer);
  return offered === 0 || media.length <= offered ? answer : session + media.slice(0, offered).join('');
}

function mediaOf(sdp: string): readonly string[] {
  return sections(sdp)
    .slice(1)
    .map((medium) => lineAt(medium, 0));
}

/** `m=video 4000 RTP/AVP 96 97` */
const refused = (medium: string): string => `${trim(medium).replace(/^(m=\S+) +\S+/, '$1 0')}\r\n`;
