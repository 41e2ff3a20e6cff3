/**
 * What a browser refuses (RFC 8827 §6.5, RFC 8829 §5.8, RFC 8834 §4.5), looked for before it sees it: it would end the
 * call with an error that nobody reads. Each medium that is on is DTLS-SRTP and has ICE, a fingerprint, a role and
 * rtcp-mux; keys stand in no SDP.
 *
 * An answer has to have of these what its offer had: a telephone with DTLS but without ICE gets none.
 * Left out: codecs, candidates (they may come later), BUNDLE, and media that are off.
 */
import { hasLine, lineAt, sections } from './lines.ts';

interface Need {
  readonly line: string;
  /** Whether it may stand above all media. */
  readonly inSession: boolean;
}

const needs: readonly Need[] = [
  { line: 'a=ice-ufrag:', inSession: true },
  { line: 'a=ice-pwd:', inSession: true },
  { line: 'a=fingerprint:', inSession: true },
  { line: 'a=setup:', inSession: true },
  { line: 'a=rtcp-mux', inSession: false },
];

/** The first thing a browser would not take, in words that name its line; `undefined` when there is none. */
export function refusedByBrowser(sdp: string, offer?: string): string | undefined {
  const [session = '', ...media] = sections(sdp);
  const [offeredSession = '', ...offered] = offer === undefined ? [] : sections(offer);
  if (offer !== undefined && media.length !== offered.length)
    return `${media.length} m= lines answer ${offered.length}`;
  for (const [index, medium] of media.entries()) {
    const asked = offered[index];
    const wanted = asked === undefined ? needs : needs.filter((need) => has(offeredSession, asked, need));
    const wrong = isOff(medium) ? undefined : wrongIn(session, medium, wanted);
    if (wrong !== undefined) return `${nameOf(medium)}: ${wrong}`;
  }
  return undefined;
}

function wrongIn(session: string, medium: string, wanted: readonly Need[]): string | undefined {
  const protocol = lineAt(medium, 0).split(' ')[2] ?? '';
  if (!/^UDP\/(?:TLS\/RTP\/SAVPF?|DTLS\/SCTP)$/i.test(protocol)) return `${protocol} is not UDP/TLS/RTP/SAVPF`;
  const missing = wanted.find((need) => !has(session, medium, need) && !(isData(protocol) && !need.inSession));
  if (missing !== undefined) return `${missing.line.replace(/:$/, '')} is missing`;
  return hasLine(medium, 'a=crypto:') ? 'a=crypto stands beside a=fingerprint' : undefined;
}

/** RFC 8841: a data channel has no RTCP. */
const isData = (protocol: string): boolean => /SCTP$/i.test(protocol);

function has(session: string, medium: string, { line, inSession }: Need): boolean {
  return hasLine(medium, line) || (inSession && hasLine(session, line));
}

/** RFC 3264 §6: a medium with port 0 was refused or taken out. */
const isOff = (medium: string): boolean => /^m=\S+ +0[ /]/.test(medium);

const nameOf = (medium: string): string => /^m=\S+/.exec(medium)?.[0] ?? '';
