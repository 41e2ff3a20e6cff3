/**
 * What rtpengine says of each side of a call (`query`; a `delete` with a tag): packets, ICE, DTLS, SRTP and quality.
 *
 * Read leniently: keys that another version leaves out are unknown here. Only the first medium is read, which is audio
 * where there is any. Quality comes from RTCP alone (RFC 3550 §6.4): without it there is none, and the reason is said.
 */
import type { NgReply, NgValue, Quality } from '../ports.ts';

export interface MediaState {
  readonly legs: readonly LegState[];
}

export interface LegState {
  readonly tag: string;
  readonly viaBranch: string | undefined;
  readonly protocol: string;
  /** Where rtpengine listens for this party, and where the party is. */
  readonly local: string;
  readonly remote: string;
  /** What came from this party. */
  readonly packets: number;
  readonly bytes: number;
  readonly rtcpPackets: number;
  /**
   * Since the last packet, RTCP included, when this was asked: who is muted, or leaves silence out (RFC 3389), goes on with
   * his reports. `undefined`: no RTP came.
   */
  readonly silentSeconds: number | undefined;
  /** Offer and answer have it send RTP: not so of a side on hold, in either style, nor of a fax (T.38). */
  readonly sends: boolean;
  /** `unknown`: rtpengine sends to where the SDP said, as it does with a checked pair and without one. */
  readonly ice: 'off' | 'waiting' | 'unknown' | 'done';
  readonly dtls: 'off' | 'waiting' | 'done';
  readonly srtp: 'off' | 'SDES' | 'DTLS-SRTP';
  /** Of what this party sends, as the other side hears it. */
  readonly quality: Quality | undefined;
  /** The same over the whole call, report by report; the oldest first, ten of them or so. */
  readonly progress?: readonly Report[] | undefined;
}

/** What one RTCP report said. */
export interface Report extends Omit<Quality, 'lost'> {
  readonly atMs: number;
}

/** `askedAtMs`: when the reply was made. `undefined`: it says nothing of sides. */
export function mediaStateOf(reply: NgReply, askedAtMs: number): MediaState | undefined {
  const tags = dictionary(reply.tags);
  if (tags === undefined) return undefined;
  const ssrcs = dictionary(reply.SSRC) ?? {};
  const legs = Object.entries(tags).flatMap(([tag, leg]) => legOf(tag, dictionary(leg), ssrcs, askedAtMs));
  const isHeld = legs.some(({ ice, remote }) => ice === 'off' && isHeldAddress(remote));
  return { legs: isHeld ? legs.map((leg) => ({ ...leg, sends: false })) : legs };
}

/** RFC 2543 §B.5: nothing is to be sent there. Beside port 0 it is a medium that was rejected. */
const isHeldAddress = (remote: string): boolean => /^(0\.0\.0\.0|\[::\]):[1-9]/.test(remote);

function legOf(tag: string, leg: NgReply | undefined, ssrcs: NgReply, askedAtMs: number): readonly LegState[] {
  const media = list(leg?.medias).map(dictionary);
  const medium = media.find((one) => one?.type === 'audio') ?? media[0];
  if (leg === undefined || medium === undefined) return [];
  const streams = list(medium.streams).filter((stream) => isDictionary(stream));
  const rtp = streams.find((stream) => flags(stream).includes('RTP')) ?? streams[0] ?? {};
  const rtcp = streams.find((stream) => stream !== rtp && flags(stream).includes('RTCP'));
  if (dictionary(rtp.stats) === undefined) return [];
  const packets = stat(rtp, 'packets');
  const reports = rtcp === undefined ? 0 : stat(rtcp, 'packets');
  const lastPacket = Math.max(number(rtp['last packet']), reports > 0 ? number(rtcp?.['last packet']) : 0);
  return [
    {
      tag,
      viaBranch: own(text(leg['via-branch'])),
      protocol: own(text(medium.protocol)) ?? '',
      local: place(text(rtp['local address']), rtp['local port']),
      remote: endpoint(rtp.endpoint),
      packets,
      bytes: stat(rtp, 'bytes'),
      rtcpPackets: reports,
      silentSeconds: packets === 0 ? undefined : Math.max(0, Math.floor(askedAtMs / 1000) - lastPacket),
      sends: flags(medium).includes('recv') && medium.type !== 'image',
      ...securityOf(flags(medium), rtp),
      ...qualityOf(dictionary(ssrcs[String(rtp.SSRC ?? '')])),
    },
  ];
}

function securityOf(media: readonly string[], rtp: NgReply): Pick<LegState, 'ice' | 'dtls' | 'srtp'> {
  const dtls = media.includes('DTLS-SRTP');
  return {
    ice: media.includes('ICE') ? iceOf(rtp) : 'off',
    dtls: !dtls ? 'off' : hasKeys(rtp) ? 'done' : 'waiting',
    srtp: dtls ? 'DTLS-SRTP' : media.includes('SDES') ? 'SDES' : 'off',
  };
}

const hasKeys = (rtp: NgReply): boolean => flags(rtp).includes('DTLS fingerprint verified');

/**
 * No version tells its state. What shows that a pair was checked: packets, keys, or that rtpengine sends elsewhere than
 * where the SDP said, which only a checked pair moves. One at the very address of the SDP shows in nothing.
 */
function iceOf(rtp: NgReply): 'waiting' | 'unknown' | 'done' {
  const now = endpoint(rtp.endpoint);
  if (stat(rtp, 'packets') > 0 || flags(rtp).includes('confirmed') || hasKeys(rtp)) return 'done';
  if (isNowhere(now)) return 'waiting';
  const said = endpoint(rtp['advertised endpoint']);
  return said === '' || now === said ? 'unknown' : 'done';
}

/** As an SDP has it whose candidates come later (RFC 8840 §4.1.1). */
const isNowhere = (place: string): boolean => /^$|^0\.0\.0\.0:|^\[::\]:|:[09]$/.test(place);

function qualityOf(ssrc: NgReply | undefined): Pick<LegState, 'quality' | 'progress'> {
  const average = dictionary(ssrc?.['average MOS']);
  if (average === undefined || number(average.MOS) === 0) return { quality: undefined };
  return { quality: { ...measured(average), lost: number(ssrc?.['cumulative loss']) }, progress: progressOf(ssrc) };
}

/** rtpengine makes about ten entries of however many reports there were. */
const mostReports = 20;

function progressOf(ssrc: NgReply | undefined): readonly Report[] {
  const entries = list(dictionary(ssrc?.['MOS progression'])?.entries).slice(-mostReports);
  return entries.flatMap((value) => {
    const entry = dictionary(value);
    if (entry === undefined || number(entry.MOS) === 0) return [];
    return [{ atMs: number(entry['reported at']) * 1000, ...measured(entry) }];
  });
}

/** rtpengine gives MOS ten times, jitter in ms, round trips in µs. */
function measured(entry: NgReply): Omit<Quality, 'lost'> {
  return {
    mos: number(entry.MOS) / 10,
    jitterMs: number(entry.jitter),
    lossPercent: number(entry['packet loss']),
    roundTripMs: Math.round(number(entry['round-trip time']) / 1000),
  };
}

function endpoint(value: NgValue | undefined): string {
  const known = dictionary(value);
  return known === undefined ? '' : place(text(known.address), known.port);
}

function place(address: string | undefined, port: NgValue | undefined): string {
  if (address === undefined) return '';
  return `${address.includes(':') ? `[${address}]` : address}:${number(port)}`;
}

const stat = (stream: NgReply, key: string): number => number(dictionary(stream.stats)?.[key]);
const flags = (of: NgReply): readonly string[] => list(of.flags).flatMap((flag) => text(flag) ?? []);
const text = (value: NgValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
/** A slice keeps the whole text that it is of, and a reply is two kilobytes for as long as the story lives. */
const own = (slice: string | undefined): string | undefined => slice && ` ${slice}`.slice(1);
const number = (value: NgValue | undefined): number => (typeof value === 'number' ? value : 0);

function list(value: NgValue | undefined): readonly NgValue[] {
  return Array.isArray(value) ? value : [];
}

function dictionary(value: NgValue | undefined): NgReply | undefined {
  return value !== undefined && isDictionary(value) ? value : undefined;
}

function isDictionary(value: NgValue): value is NgReply {
  return typeof value === 'object' && !Array.isArray(value);
}
