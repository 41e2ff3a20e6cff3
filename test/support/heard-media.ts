/** What rtpengine counted of a call, as 10.5 says it in its reply to `query`, said by the relay of the tests. */
import type { NgReply, NgValue } from '../../src/ports.ts';
import type { ProxyScene } from './proxy-scene.ts';

export interface Heard {
  readonly packets: number;
  /** Of the medium, beside `send` and `recv`. */
  readonly flags?: readonly string[];
  /** Its SDP has it listen only. */
  readonly onHold?: boolean;
  readonly streamFlags?: readonly string[];
  readonly silentMs?: number;
  /** Of the medium: `image` is a fax (T.38). */
  readonly type?: 'audio' | 'image';
  /** Its RTCP, where it comes at a port of its own. */
  readonly reports?: { readonly packets: number; readonly silentMs: number };
  /** Where rtpengine sends, if not to where the SDP said. */
  readonly endpoint?: NgReply;
}

const offered: NgReply = { address: '198.51.100.1', port: 4_000 };
/** Before an address is known. */
export const nowhere: NgReply = { address: '0.0.0.0', port: 9 };

/** From now on `query` says this of the caller, and that of the callee. */
export function heard(it: Pick<ProxyScene, 'media' | 'clock'>, alice: Heard, bob: Heard, ssrcs: NgReply = {}): void {
  const agoSeconds = (ms: number): number => Math.floor((it.clock.nowMs() - ms) / 1000);
  const reportsOf = ({ packets, silentMs }: NonNullable<Heard['reports']>): NgReply => ({
    'last packet': agoSeconds(silentMs),
    flags: ['RTCP', 'filled'],
    stats: { packets, bytes: packets * 60, errors: 0 },
  });
  const leg = (
    tag: NgValue,
    {
      packets,
      flags = [],
      onHold = false,
      type = 'audio',
      streamFlags = [],
      silentMs = 0,
      reports,
      endpoint = offered,
    }: Heard,
    ssrc: number,
  ): NgReply => ({
    ...viaBranchOf(tag),
    medias: [
      {
        type,
        protocol: 'RTP/AVP',
        flags: [...(onHold ? ['send'] : ['send', 'recv']), ...flags],
        streams: [
          {
            'local port': 30_000,
            'local address': '203.0.113.50',
            endpoint,
            'advertised endpoint': offered,
            'last packet': agoSeconds(silentMs),
            flags: ['RTP', 'filled', ...streamFlags],
            SSRC: ssrc,
            stats: { packets, bytes: packets * 172, errors: 0 },
          },
          ...(reports === undefined ? [] : [reportsOf(reports)]),
        ],
      },
    ],
  });
  it.media.set({
    reply: ({ command }, reply) => {
      const { tags } = reply;
      if (command !== 'query' || typeof tags !== 'object' || Array.isArray(tags)) return reply;
      const [caller = ['', ''], callee = ['', '']] = Object.entries(tags);
      const both = { [caller[0]]: leg(caller[1], alice, 1), [callee[0]]: leg(callee[1], bob, 2) };
      return { ...reply, SSRC: ssrcs, tags: both };
    },
  });
}

function viaBranchOf(leg: NgValue | undefined): NgReply {
  if (typeof leg !== 'object' || !('via-branch' in leg)) return {};
  return { 'via-branch': leg['via-branch'] };
}
