/**
 * What routing asks of an SDP (RFC 8866, RFC 3264): for whom it is made, in which direction media flows, over which
 * address family. Lines are scanned; nothing is validated or rewritten.
 *
 * Only the first `m=` line decides: we carry audio and video to one party, which does not change its kind between them.
 * Left out: multipart bodies (RFC 5621): a multipart/mixed with an SDP part is not an SDP here, so such an offer
 * counts as one without SDP.
 */
import { lower, trim } from '../message/ascii.ts';
import { get } from '../message/header.ts';
import { ContentType } from '../message/headers/text.ts';
import type { SipMessage } from '../message/message.ts';

/** DTLS-SRTP with ICE, plain RTP, or SDES-SRTP. */
export type MediaKind = 'webrtc' | 'rtp' | 'sdes';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface SdpKind {
  readonly webrtc: boolean;
  readonly kind: MediaKind;
  /** Of the first medium. An address of 0.0.0.0 is not read as hold: browsers write it before they know their own. */
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
  const lines = firstMediumLines(body);
  const medium = lines.find((line) => line.startsWith('m='));
  if (medium === undefined) return undefined;
  const kind = kindOf(lower(medium.split(/ +/)[2] ?? ''), lines);
  return { webrtc: kind === 'webrtc', kind, direction: directionOf(lines), addressFamily: familyOf(lines) };
}

/** The session level and the first medium. */
function firstMediumLines(body: string): readonly string[] {
  const first = mediumAt(body, 0);
  const second = first < 0 ? -1 : mediumAt(body, first + 1);
  return (second < 0 ? body : body.slice(0, second)).split(/\r?\n/);
}

const mediumAt = (body: string, from: number): number => body.indexOf('\nm=', from);

function kindOf(protocol: string, lines: readonly string[]): MediaKind {
  const has = (start: string): boolean => lines.some((line) => line.startsWith(start));
  // A phone with DTLS-SRTP but without ICE is nearer to a browser than to any other kind: it needs our DTLS.
  if (protocol.startsWith('udp/tls/')) return 'webrtc';
  if (has('a=fingerprint:') && has('a=ice-ufrag:')) return 'webrtc';
  return protocol.startsWith('rtp/savp') || has('a=crypto:') ? 'sdes' : 'rtp';
}

const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;

/** RFC 8866 §6.7: the medium's own direction before the session's, and sendrecv when neither says. */
function directionOf(lines: readonly string[]): Direction {
  const own = (line: string): Direction | undefined => directions.find((direction) => trim(line) === `a=${direction}`);
  return lines.map(own).findLast((direction) => direction !== undefined) ?? 'sendrecv';
}

/** RFC 8866 §5.7: the medium's own connection before the session's. */
function familyOf(lines: readonly string[]): 'IP4' | 'IP6' | undefined {
  const connection = lines.findLast((line) => line.startsWith('c='));
  const family = connection?.split(' ')[1];
  return family === 'IP4' || family === 'IP6' ? family : undefined;
}
