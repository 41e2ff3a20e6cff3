/**
 * Rows as aligned text for a terminal: two spaces between columns, no lines drawn, nothing at the end of a row.
 */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all.map((row) => `${line(row, widths)}\n`).join('');
}

function line(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell))));
  return cells.join('  ').trimEnd();
}

/** Characters, not UTF-16 units. */
function width(text: string): number {
  return Array.from(text).length;
}
