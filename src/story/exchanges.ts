/**
 * Offer and answer of a call as rtpengine saw them (RFC 3264): whose SDP came, what went on to the other side, and what
 * changed on the way.
 */
import type { NgEvent, StoryEvent } from './events.ts';
import type { Party, Passages } from './passages.ts';
import { type SdpChanges, sdpChanges } from './sdp-changes.ts';

export interface Exchange {
  readonly event: NgEvent;
  readonly kind: 'offer' | 'answer';
  /** Whose SDP it is; the other side got what rtpengine made of it. */
  readonly by: 'caller' | 'callee';
  readonly callee: Party | undefined;
  readonly before: string;
  /** As it left us; `undefined` when rtpengine refused it. */
  readonly after: string | undefined;
  readonly changes: SdpChanges;
}

export function exchangesOf(events: readonly StoryEvent[], passages: Passages): readonly Exchange[] {
  return events.flatMap((event, index) => {
    if (event.kind !== 'ng') return [];
    const { command } = event;
    if (command.command !== 'offer' && command.command !== 'answer') return [];
    const offeredByCaller = command['from-tag'] === passages.callerTag;
    const isOffer = command.command === 'offer';
    const by: Exchange['by'] = offeredByCaller === isOffer ? 'caller' : 'callee';
    const after = sentAs(event, events.slice(index + 1));
    const changes = after === undefined ? { sections: [], words: [] } : sdpChanges(command.sdp, after);
    return [
      { event, kind: command.command, by, callee: calleeOf(event, passages), before: command.sdp, after, changes },
    ];
  });
}

/** We change a line or two ourselves: the SDP that left is the one with rtpengine's ports. */
function sentAs({ reply }: NgEvent, later: readonly StoryEvent[]): string | undefined {
  const sdp = reply?.sdp;
  if (typeof sdp !== 'string') return undefined;
  const ports = portsOf(sdp);
  for (const event of later) {
    if (event.kind !== 'message' || event.direction !== 'out') continue;
    const body = bodyOf(event.text);
    if (body.startsWith('v=') && portsOf(body) === ports) return body;
  }
  return sdp;
}

const portsOf = (sdp: string): string => [...sdp.matchAll(/^m=\S+ (\d+)/gm)].map(([, port]) => port).join(' ');

function bodyOf(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  return end < 0 ? '' : text.slice(end + 4);
}

function calleeOf({ command }: NgEvent, { byTag, byBranch, callerTag }: Passages): Party | undefined {
  if (command.command !== 'offer' && command.command !== 'answer') return undefined;
  const tags = [command['from-tag'], command['to-tag'] ?? ''].filter((tag) => tag !== callerTag);
  const byName = tags.map((tag) => byTag.get(tag)).find((party) => party !== undefined);
  return byName ?? partyOfBranch(command['via-branch'], byBranch);
}

/** The via-branch ends with our branch parameter (src/media/via-branch.ts). */
export function partyOfBranch(viaBranch: string | undefined, byBranch: Passages['byBranch']): Party | undefined {
  return viaBranch === undefined ? undefined : byBranch.get(viaBranch.slice(viaBranch.indexOf('/') + 1));
}
