/**
 * SDPs for scripts: what a browser and a telephone offer and answer, cut to the lines that decide anything.
 *
 * `s=` names the author, so that a test sees whose SDP arrived; the relay of `media-relay-fake.ts` signs with `o=relay`.
 */
import type { Direction } from '../../src/sdp/describe.ts';

export interface SdpOptions {
  readonly direction?: Direction;
  /** Of `o=`; grows with each change (RFC 3264 §8). */
  readonly version?: number;
}

const address = '198.51.100.1';

function session(author: string, { version = 1 }: SdpOptions): readonly string[] {
  return ['v=0', `o=- 4711 ${version} IN IP4 ${address}`, `s=${author}`, 't=0 0'];
}

function text(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n`;
}

function browser(author: string, setup: 'actpass' | 'active', options: SdpOptions): string {
  return text([
    ...session(author, options),
    'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 8 0 126',
    'c=IN IP4 0.0.0.0',
    'a=candidate:1 1 udp 2113937151 198.51.100.1 50000 typ host',
    'a=ice-ufrag:Wxyz',
    'a=ice-pwd:aBcDeFgHiJkLmNoPqRsTuVwX',
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    `a=setup:${setup}`,
    'a=mid:0',
    `a=${options.direction ?? 'sendrecv'}`,
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:126 telephone-event/8000',
  ]);
}

export function browserOffer(author: string, options: SdpOptions = {}): string {
  return browser(author, 'actpass', options);
}

export function browserAnswer(author: string, options: SdpOptions = {}): string {
  return browser(author, 'active', options);
}

function phone(author: string, medium: readonly string[], options: SdpOptions): string {
  const direction = `a=${options.direction ?? 'sendrecv'}`;
  return text([
    ...session(author, options),
    `c=IN IP4 ${address}`,
    ...medium,
    'a=rtpmap:101 telephone-event/8000',
    direction,
  ]);
}

export function phoneOffer(author: string, options: SdpOptions = {}): string {
  return phone(author, ['m=audio 40000 RTP/AVP 8 0 101'], options);
}

export function phoneAnswer(author: string, options: SdpOptions = {}): string {
  return phone(author, ['m=audio 42000 RTP/AVP 8 101'], options);
}

export function sdesOffer(author: string, options: SdpOptions = {}): string {
  const key = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`;
  return phone(author, ['m=audio 44000 RTP/SAVP 8 0 101', key], options);
}

/** OSRTP (RFC 8643). */
export function eitherOffer(author: string, options: SdpOptions = {}): string {
  return sdesOffer(author, options).replace('RTP/SAVP', 'RTP/AVP');
}

// --- what a test asks of one ----------------------------------------------------------------------------------------

export interface SeenSdp {
  /** The relay wrote it: media passes through it. */
  readonly relayed: boolean;
  /** Of its `s=`. */
  readonly author: string;
  readonly protocol: string;
  readonly port: number;
  readonly direction: string;
  readonly setup: string | undefined;
  readonly ice: boolean;
  readonly rtcpMux: boolean;
}

export function seen(sdp: string): SeenSdp {
  const lines = sdp.split('\r\n');
  const after = (start: string): string | undefined =>
    lines.find((line) => line.startsWith(start))?.slice(start.length);
  const [port = '0', protocol = ''] = (after('m=audio ') ?? '').split(' ');
  return {
    relayed: (after('o=') ?? '').startsWith('relay '),
    author: after('s=') ?? '',
    protocol,
    port: Number(port),
    direction: lines.find((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line))?.slice(2) ?? 'sendrecv',
    setup: after('a=setup:'),
    ice: after('a=ice-ufrag:') !== undefined,
    rtcpMux: lines.includes('a=rtcp-mux'),
  };
}
