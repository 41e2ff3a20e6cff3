/**
 * The lines of an SDP (RFC 8866 §5) as they stand, for those who look at them, take some out or put some in.
 *
 * Who only looks does not split: an SDP is looked at a dozen times in a call, and a text for each of its forty lines
 * each time was a fifth of all memory that a call took.
 */

/** Lines with their line ends; joined they are the SDP. */
export const linesOf = (body: string): readonly string[] => body.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** The session level, then each medium from its `m=` line on; joined they are the SDP. */
export function sections(body: string): readonly string[] {
  const all: string[] = [];
  let start = 0;
  for (let next = mediumFrom(body, 0); next >= 0; next = mediumFrom(body, next + 1)) {
    all.push(body.slice(start, next));
    start = next;
  }
  all.push(body.slice(start));
  return all;
}

/** Where the next `m=` line begins, from here on; -1: there is none. */
function mediumFrom(body: string, from: number): number {
  if (from === 0 && body.startsWith('m=')) return 0;
  const end = body.indexOf('\nm=', Math.max(0, from - 1));
  return end < 0 ? -1 : end + 1;
}

/** Whether a line begins like this. */
export function hasLine(section: string, start: string): boolean {
  return section.startsWith(start) || section.includes(`\n${start}`);
}

/** The last line that begins like this, without its end. */
export function lastLine(section: string, start: string): string | undefined {
  const at = section.lastIndexOf(`\n${start}`) + 1;
  return at > 0 || section.startsWith(start) ? lineAt(section, at) : undefined;
}

/** The line that begins here, without its end. */
export function lineAt(section: string, at: number): string {
  const end = section.indexOf('\n', at);
  const line = section.slice(at, end < 0 ? section.length : end);
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
