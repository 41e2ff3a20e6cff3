/**
 * The target set of a request in the order in which it is tried (RFC 3261 §16.5, §16.6).
 *
 * Left out: where targets come from (routes/location.ts), and when the next group has its turn (the response context).
 */

/** q of a target without one: nothing comes before it (RFC 3261 §20.10). */
const highest = 1;

/** Targets of equal q are tried together, the groups one after the other, highest q first. */
export function inGroups<T extends { readonly q?: number | undefined }>(
  targets: readonly T[],
): readonly (readonly T[])[] {
  const groups = Map.groupBy(targets, ({ q = highest }) => q);
  return [...groups].sort(([one], [other]) => other - one).map(([, group]) => group);
}
