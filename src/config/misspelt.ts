/** Names of settings that are nearly right: nobody reads them, and what was meant has its default. */

/** `HTTPS` is not `HTTP`: the environment is full of short names of others. */
const shortest = 6;
/** In these two letters may be wrong. */
const long = 10;

export interface Misspelt {
  readonly name: string;
  /** The setting that was probably meant. */
  readonly meant: string;
}

export function misspelt(names: readonly string[], settings: readonly string[]): readonly Misspelt[] {
  const nearly = (name: string, setting: string): boolean => distance(name, setting) <= (name.length < long ? 1 : 2);
  return names.flatMap((name) => {
    if (name.length < shortest || !/^[A-Z_]+$/.test(name) || settings.includes(name)) return [];
    const meant = settings.find((setting) => nearly(name, setting));
    return meant === undefined ? [] : [{ name, meant }];
  });
}

/** Of Levenshtein: letters that are missing, too many or others. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (const [column, wanted] of [...other].entries()) {
      const [above = 0, beside = 0, before = 0] = [row[column + 1], next[column], row[column]];
      next.push(Math.min(above + 1, beside + 1, before + (letter === wanted ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
