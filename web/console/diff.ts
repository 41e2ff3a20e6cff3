/** What changed between two texts, line by line: the longest common subsequence stays, the rest went or came. */

export interface DiffLine {
  readonly change: 'same' | 'gone' | 'new';
  readonly text: string;
}

/** An SDP has tens of lines; of longer texts only as many are compared. */
const MOST_LINES = 400;

export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  const common = commonLengths(a, b);
  const found: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [gone, came] = [a[i], b[j]];
    if (gone !== undefined && gone === came) {
      found.push({ change: 'same', text: gone });
      i++;
      j++;
    } else if (came === undefined || (gone !== undefined && at(common, i + 1, j) >= at(common, i, j + 1))) {
      found.push({ change: 'gone', text: gone ?? '' });
      i++;
    } else {
      found.push({ change: 'new', text: came });
      j++;
    }
  }
  return found;
}

function linesOf(text: string): readonly string[] {
  return text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .slice(0, MOST_LINES);
}

/** `[i][j]`: how many lines the rests behind i and j have in common. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = table[i];
      if (row !== undefined)
        row[j] = a[i] === b[j] ? 1 + at(table, i + 1, j + 1) : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}

function at(table: readonly (readonly number[])[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
