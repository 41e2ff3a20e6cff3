/**
 * What routing asks of an SDP (RFC 8866, RFC 3264): for whom it is made, in which direction media flows, over which
 * address family. Lines are scanned; nothing is validated or rewritten.
 *
 * Only the first `m=` line of RTP decides: we carry audio and video to one party, which does not change its kind between
 * them. A fax (T.38, `udptl`) or a data channel beside it or in its place says nothing of how that party speaks RTP.
 * Left out: multipart bodies (RFC 5621): a multipart/mixed with an SDP part is not an SDP here, so such an offer
 * counts as one without SDP.
 */
import { lower, trim } from '../message/ascii.ts';
import { get } from '../message/header.ts';
import { ContentType } from '../message/headers/text.ts';
import type { SipMessage } from '../message/message.ts';
import { hasLine, lastLine, lineAt, sections } from './lines.ts';

/** DTLS-SRTP with ICE, plain RTP, SDES-SRTP, or either of these two (OSRTP, RFC 8643: RTP/AVP with a=crypto). */
export type MediaKind = 'webrtc' | 'rtp' | 'sdes' | 'osrtp';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface SdpKind {
  readonly webrtc: boolean;
  /** `undefined`: no medium of it is RTP. */
  readonly kind: MediaKind | undefined;
  /** Of that medium. An address of 0.0.0.0 is not read as hold: browsers write it before they know their own. */
  readonly direction: Direction;
  readonly addressFamily: 'IP4' | 'IP6' | undefined;
}

/** Whether the body is an SDP, by its Content-Type. */
export function isSdp(message: SipMessage): boolean {
  return message.body !== '' && mediaType(message) === 'application/sdp';
}

/** A body of several parts, or of no type: somebody may find an SDP in it. One of another type has none to find. */
export function mayHideSdp(message: SipMessage): boolean {
  const type = mediaType(message);
  return message.body !== '' && (!type.includes('/') || type.startsWith('multipart/') || type.startsWith('message/'));
}

function mediaType(message: SipMessage): string {
  const [type = ''] = (get(message, ContentType) ?? '').split(';');
  return lower(trim(type));
}

/** `undefined` for text that is no SDP or has no medium. */
export function describeSdp(body: string): SdpKind | undefined {
  if (!body.startsWith('v=')) return undefined;
  const [session = '', ...media] = sections(body);
  const medium = media.find((one) => isRtp(protocolOf(one))) ?? media[0];
  if (medium === undefined) return undefined;
  const kind = kindOf(protocolOf(medium), session, medium);
  // RFC 8866 §6.7: the medium's own direction before the session's, and sendrecv when neither says.
  const direction = directionOf(medium) ?? directionOf(session) ?? 'sendrecv';
  // §5.7: the medium's own connection before the session's.
  const connection = lastLine(medium, 'c=') ?? lastLine(session, 'c=');
  return { webrtc: kind === 'webrtc', kind, direction, addressFamily: familyOf(connection) };
}

/** `m=audio 4000 RTP/AVP 0`: lower case. */
const protocolOf = (medium: string): string => lower(lineAt(medium, 0).split(/ +/)[2] ?? '');

const isRtp = (protocol: string): boolean => protocol.includes('rtp/');

function kindOf(protocol: string, session: string, medium: string): MediaKind | undefined {
  const has = (start: string): boolean => hasLine(medium, start) || hasLine(session, start);
  // A phone with DTLS-SRTP but without ICE is nearer to a browser than to any other kind: it needs our DTLS.
  if (protocol.startsWith('udp/tls/')) return 'webrtc';
  if (has('a=fingerprint:') && has('a=ice-ufrag:')) return 'webrtc';
  if (protocol.startsWith('rtp/savp')) return 'sdes';
  if (has('a=crypto:')) return 'osrtp';
  return isRtp(protocol) ? 'rtp' : undefined;
}

const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
const directionLines = /(?<=^|\n)[ \t\r]*a=(sendrecv|sendonly|recvonly|inactive)[ \t\r]*(?=\n|$)/g;

/** What its last such line says. */
function directionOf(section: string): Direction | undefined {
  const said = section.match(directionLines)?.at(-1);
  return said === undefined ? undefined : directions.find((direction) => trim(said) === `a=${direction}`);
}

function familyOf(connection: string | undefined): 'IP4' | 'IP6' | undefined {
  const family = connection?.split(' ')[1];
  return family === 'IP4' || family === 'IP6' ? family : undefined;
}
