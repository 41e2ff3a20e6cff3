/**
 * The credentials of ICE (RFC 8839 §5.4): who offers others than before restarts it (RFC 8445 §9). They stand in a medium,
 * or above all media for those that have none.
 */
import { lastLine, linesOf, sections } from './lines.ts';

const credentials = ['a=ice-ufrag:', 'a=ice-pwd:'] as const;

/** The offer with the credentials that its author had in this SDP before, medium by medium: it restarts nothing. */
export function withIceOf(offer: string, before: string): string {
  const [session = '', ...media] = sections(before);
  return sections(offer)
    .map((section, index) => withLinesOf(section, media[Math.max(0, index - 1)] ?? '', session))
    .join('');
}

/** A medium that is new keeps its own. */
function withLinesOf(section: string, medium: string, session: string): string {
  return linesOf(section)
    .map((line) => {
      const name = credentials.find((one) => line.startsWith(one));
      const known = name && (lastLine(medium, name) ?? lastLine(session, name));
      return known === undefined ? line : known + endOf(line);
    })
    .join('');
}

const endOf = (line: string): string => /[\r\n]*$/.exec(line)?.[0] ?? '';
