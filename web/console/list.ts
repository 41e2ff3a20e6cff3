/** A page of a list of REST, asked for again at each turn of the live numbers, and longer on demand. */
import { useEffect, useState } from 'preact/hooks';
import type { Page } from './answers.ts';
import { turn } from './live.ts';
import { get, Problem } from './rest.ts';

export interface List<T> {
  /** `undefined`: not here yet. */
  readonly items: readonly T[] | undefined;
  readonly hasMore: boolean;
  readonly failed: string | undefined;
  more(): void;
}

const STEP = 100;
const MOST = 1000;

export function useList<T>(path: string): List<T> {
  const [page, setPage] = useState<Page<T> | undefined>(undefined);
  const [failed, setFailed] = useState<string | undefined>(undefined);
  const [limit, setLimit] = useState(STEP);
  const now = turn.value;
  useEffect(() => {
    let wanted = true;
    get<Page<T>>(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}`).then(
      (found) => {
        if (!wanted) return;
        setPage(found);
        setFailed(undefined);
      },
      (thrown: unknown) => wanted && setFailed(thrown instanceof Problem ? thrown.message : String(thrown)),
    );
    return () => {
      wanted = false;
    };
  }, [path, limit, now]);
  return {
    items: page?.items,
    hasMore: page?.next != null && limit < MOST,
    failed,
    more: () => setLimit(Math.min(MOST, limit * 2)),
  };
}
