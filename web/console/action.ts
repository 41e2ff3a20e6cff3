/** A change that somebody asked for: running, done, or failed with words; afterwards the lists are asked for again. */
import { useState } from 'preact/hooks';
import { again } from './live.ts';
import { Problem } from './rest.ts';

export interface Action {
  readonly busy: boolean;
  readonly failed: string | undefined;
  /** `done` is called after a success only. */
  run(change: () => Promise<void>, done?: () => void): void;
}

export function useAction(): Action {
  const [state, setState] = useState<Omit<Action, 'run'>>({ busy: false, failed: undefined });
  return {
    ...state,
    run(change, done) {
      setState({ busy: true, failed: undefined });
      change().then(
        () => {
          setState({ busy: false, failed: undefined });
          done?.();
          again();
        },
        (thrown: unknown) => setState({ busy: false, failed: wordsOf(thrown) }),
      );
    },
  };
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Problem ? thrown.message : 'The answer of Viaduct cannot be read.';
}
