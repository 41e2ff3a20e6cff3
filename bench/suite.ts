/** What a bench has started ends with it, also when it is stopped: by Ctrl-C, or by the time limit of a script. */
import { createSuite, type Suite } from '../test/support/suite.ts';

export function createBenchSuite(): Suite {
  const suite = createSuite();
  const stop = (): void => void suite.end().finally(() => process.exit(1));
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stop);
  return {
    after: suite.after,
    async end() {
      for (const signal of signals) process.off(signal, stop);
      await suite.end();
    },
  };
}
