/**
 * What rtpengine's `query` says of a session, read from the untyped reply: whose it is, what went through it, and when the
 * last packet came. Whatever is missing or of another shape counts as not said.
 */
import type { NgReply, NgValue } from './commands.ts';
import { isOurs } from './via-branch.ts';

/** Whether a leg carries the via-branch mark of this cluster. */
export function hasMark({ tags }: NgReply, mark: string): boolean {
  return Object.values(dictionary(tags)).some((leg) => {
    const branch = dictionary(leg)['via-branch'];
    return typeof branch === 'string' && isOurs(mark, branch);
  });
}

/** RTP packets over all streams. */
export function packets({ totals }: NgReply): NgValue | undefined {
  return dictionary(dictionary(totals).RTP).packets;
}

/**
 * When the last packet of any stream came (RTCP too; of a stream without one, when it was made). `undefined` where no
 * medium flows in both directions, and where a side is to be sent nothing by its address (RFC 2543 §B.5): a call on hold
 * may be silent for as long as it likes.
 */
export function lastPacketMs({ tags }: NgReply): number | undefined {
  const media = Object.values(dictionary(tags)).flatMap((leg) => list(dictionary(leg).medias).map(dictionary));
  if (!media.some(flowsBothWays) || media.some(isHeldByAddress)) return undefined;
  const streams = media.flatMap((medium) => list(medium.streams).map(dictionary));
  const seconds = streams.map((stream) => stream['last packet']).filter((value) => typeof value === 'number');
  return seconds.length === 0 ? undefined : Math.max(...seconds) * 1000;
}

function flowsBothWays({ flags }: NgReply): boolean {
  return list(flags).includes('send') && list(flags).includes('recv');
}

/** The address 0.0.0.0 with a port. One of ICE has it before its candidates are known, a rejected one beside port 0. */
function isHeldByAddress({ flags, streams }: NgReply): boolean {
  if (list(flags).includes('ICE')) return false;
  const { endpoint, flags: filled } = dictionary(list(streams)[0]);
  const { address, port } = dictionary(endpoint);
  return list(filled).includes('filled') && (address === '0.0.0.0' || address === '::') && port !== 0;
}

/** The texts of a list, such as the calls of `list`. */
export function texts(value: NgValue | undefined): readonly string[] {
  return list(value).filter((each) => typeof each === 'string');
}

function list(value: NgValue | undefined): readonly NgValue[] {
  return Array.isArray(value) ? value : [];
}

function dictionary(value: NgValue | undefined): NgReply {
  return isDictionary(value) ? value : {};
}

function isDictionary(value: NgValue | undefined): value is NgReply {
  return typeof value === 'object' && !Array.isArray(value);
}
