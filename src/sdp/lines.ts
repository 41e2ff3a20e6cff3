/** The lines of an SDP (RFC 8866 §5) as they stand, for those who take some out or put some in; joined they are the SDP. */

/** Lines with their line ends. */
export const linesOf = (body: string): readonly string[] => body.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** The session level, then each medium from its `m=` line on; the lines may be with or without their ends. */
export function sections(lines: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) all.push([]);
    all.at(-1)?.push(line);
  }
  return all;
}
