/** What REST answers to one address, asked for again at each turn of the live numbers, or at each beat. */

import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { Page } from './answers.ts';
import { turn } from './live.ts';
import { get, Problem } from './rest.ts';

export interface Asked<T> {
  /** `undefined`: not here yet. */
  readonly value: T | undefined;
  readonly failed: Problem | undefined;
}

interface Kept<T> extends Asked<T> {
  readonly path: string;
}

export function useAnswer<T>(path: string, again: ReadonlySignal<number> = turn): Asked<T> {
  const [kept, setKept] = useState<Kept<T>>({ path, value: undefined, failed: undefined });
  const now = again.value;
  useEffect(() => {
    let wanted = true;
    get<T>(path).then(
      (value) => wanted && setKept({ path, value, failed: undefined }),
      (thrown: unknown) => wanted && setKept(({ value }) => ({ path, value, failed: problemOf(thrown) })),
    );
    return () => {
      wanted = false;
    };
  }, [path, now]);
  // What another address answered is not shown under this one.
  return kept.path === path ? kept : { value: undefined, failed: undefined };
}

function problemOf(thrown: unknown): Problem {
  return thrown instanceof Problem ? thrown : new Problem(0, 'The answer of Viaduct cannot be read.');
}

export interface List<T> {
  /** `undefined`: not here yet. */
  readonly items: readonly T[] | undefined;
  readonly failed: string | undefined;
  /** The database is down: what is only there is missing. */
  readonly partial: boolean;
  /** Asks for more; `undefined`: these are all. */
  readonly more: (() => void) | undefined;
}

const STEP = 100;
const MOST = 1000;

/** A page of a list; `path` without `limit`. */
export function useList<T>(path: string): List<T> {
  const [limit, setLimit] = useState(STEP);
  const { value, failed } = useAnswer<Page<T>>(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}`);
  const [last, setLast] = useState<readonly T[] | undefined>(undefined);
  useEffect(() => {
    if (value !== undefined) setLast(value.items);
  }, [value]);
  const hasMore = value !== undefined && value.next !== null && limit < MOST;
  return {
    items: value?.items ?? last,
    failed: failed?.message,
    partial: value?.complete === false,
    more: hasMore ? () => setLimit(Math.min(MOST, limit * 2)) : undefined,
  };
}
