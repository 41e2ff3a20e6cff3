/**
 * What the tests of one file share ends with this: `after` of node:test, called within `before`, would end it as soon
 * as `before` is over.
 */
import type { Scope } from './process.ts';

export interface Suite extends Scope {
  end(): Promise<void>;
}

export function createSuite(): Suite {
  const endings: (() => unknown)[] = [];
  return {
    after: (action) => void endings.push(action),
    async end() {
      for (const action of endings.reverse()) await action();
    },
  };
}
