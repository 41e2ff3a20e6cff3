/** Longer lines are hard to read. */
const widest = 100;

/** Text in lines of so many columns at most, broken at blanks, each with this indentation. */
export function wrapped(text: string, indent: string, columns: number): readonly string[] {
  const most = Math.min(widest, columns);
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    const longer = line === indent ? `${line}${word}` : `${line} ${word}`;
    if (Array.from(longer).length > most && line !== indent) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return [...lines, line];
}
