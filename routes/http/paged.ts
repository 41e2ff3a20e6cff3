/** A page of a list that is in memory as a whole, as the stores page theirs. */
import type { Static } from 'typebox';
import type { PageQuery } from './schemas.ts';

/** `keyOf` names an entry in `next` and `after`; behind one that has gone meanwhile the list begins anew. */
export function paged<T>(all: readonly T[], keyOf: (item: T) => string, { limit, after }: Static<typeof PageQuery>) {
  const begin = after === undefined ? 0 : all.findIndex((item) => keyOf(item) === after) + 1;
  const items = all.slice(begin, begin + limit);
  const last = items.at(-1);
  return { items, next: last === undefined || begin + limit >= all.length ? null : keyOf(last) };
}
