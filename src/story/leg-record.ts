/**
 * Each side of a call in few words, for lists and records: its profile, what it sent, and how well; or why that is not
 * known. Read from the last answer of rtpengine alone, not from the whole story. Left out: the words for it (pages, cli).
 */
import type { LegRecord, NoQuality } from '../ports.ts';
import type { LegState } from './media-state.ts';
import type { Story } from './story.ts';

export function legRecord(story: Story, role: LegRecord['role']): LegRecord {
  const media = legOf(story, role);
  return {
    role,
    profile: role === 'caller' ? story.callerMedia : story.calleeMedia,
    packets: media?.packets,
    bytes: media?.bytes,
    quality: media?.quality,
    noQuality: noQualityOf(story, media),
  };
}

function legOf({ media, callerTag, calleeTag }: Story, role: LegRecord['role']): LegState | undefined {
  const tag = role === 'caller' ? callerTag : calleeTag;
  return tag === undefined ? undefined : media?.legs.find((leg) => leg.tag === tag);
}

/** A MOS needs reports of both sides that refer to each other (RFC 3550 §6.4). */
export function noQualityOf(story: Story, leg: LegState | undefined): NoQuality | undefined {
  if (leg?.quality !== undefined) return undefined;
  if (leg !== undefined) return leg.packets === 0 ? 'no-media' : withoutReports(story);
  if (story.answeredAtMs === undefined) return 'not-answered';
  if (story.mediaNode === undefined) return 'no-relay';
  return story.relayGone ? 'relay-gone' : 'no-statistics';
}

function withoutReports({ media }: Story): NoQuality {
  return media?.legs.some(({ rtcpPackets }) => rtcpPackets > 0) === true ? 'too-few-reports' : 'no-rtcp';
}
