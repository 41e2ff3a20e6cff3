/**
 * RFC 8840 §4.1.1: an agent with ICE that does not know its address yet writes `c=IN IP4 0.0.0.0`, and nobody takes that
 * for hold. rtpengine 10.5 does, unless `a=ice-options:trickle` stands in the medium itself; Firefox writes it at the
 * session level only (as RFC 8839 §5.6 allows), and others not at all.
 * The candidates that come later, over INFO, are for rtpengine alone, with which the agent has its ICE.
 */
import { lower, trim } from '../message/ascii.ts';
import { get } from '../message/header.ts';
import { ContentType } from '../message/headers/text.ts';
import type { SipRequest } from '../message/message.ts';
import { hasLine, sections } from './lines.ts';

/** RFC 8840 §4.3, §9: candidates, or their end, in an INFO of the dialog. */
export function isTrickle(request: SipRequest): boolean {
  const [type = ''] = (get(request, ContentType) ?? '').split(';');
  return request.method === 'INFO' && lower(trim(type)) === 'application/trickle-ice-sdpfrag';
}

/** For rtpengine, which takes the first line of what it reads for its `v=`, up to 26: the ufrag would be lost. */
export function fragmentSdp({ body }: SipRequest): string {
  return `v=0\r\n${body}`;
}

const trickles = /(?<=^|\n)a=ice-options:(?:.* )?trickle[ \r\n]/;

/** With that line in each medium that has ICE and no address. */
export function markTrickle(body: string): string {
  if (!body.includes('a=ice-ufrag:') || !noAddress(body)) return body;
  const [session = '', ...media] = sections(body);
  return session + media.map((medium) => marked(session, medium)).join('');
}

function marked(session: string, medium: string): string {
  const hasIce = hasLine(session, 'a=ice-ufrag:') || hasLine(medium, 'a=ice-ufrag:');
  const isWithout = noAddress(hasLine(medium, 'c=') ? medium : session);
  return hasIce && isWithout && !trickles.test(medium) ? `${ended(medium)}a=ice-options:trickle\r\n` : medium;
}

const noAddress = (section: string): boolean => /(?<=^|\n)c=IN IP(?:4 0\.0\.0\.0|6 ::)[\r\n]/.test(section);

/** The last line of a body may lack its end. */
const ended = (text: string): string => (text.endsWith('\n') ? text : `${text}\r\n`);
