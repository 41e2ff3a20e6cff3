/**
 * Nodes that have just been started (DESIGN §5, many nodes): others see them with their next beat, but a device registers
 * there before that, and is called. The location makes known the node of each binding that it finds.
 */
import type { Binding, LocationStore, NodeSelf } from '../../ports.ts';
import { nameOf } from './node-address.ts';

/** Law 9. */
const mostMissed = 1_000;

/** `undefined`: this is the only node. */
export function meeting(
  location: LocationStore,
  meet: ((bindings: readonly Binding[]) => Promise<void>) | undefined,
): LocationStore {
  if (meet === undefined) return location;
  return {
    ...location,
    lookup: async (aor) => {
      const found = await location.lookup(aor);
      await meet(found);
      return found;
    },
    byKeyHash: async (keyHash) => {
      const found = await location.byKeyHash(keyHash);
      if (found !== undefined) await meet([found]);
      return found;
    },
  };
}

/** Runs that were not there when the database was asked for them: nobody asks again, most have ended long ago. */
export class MissedRuns {
  readonly #names = new Set<string>();

  /** Whether this is the first time. */
  add(run: Pick<NodeSelf, 'id' | 'boot'>): boolean {
    const name = nameOf(run);
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    const [oldest] = this.#names;
    if (this.#names.size > mostMissed && oldest !== undefined) this.#names.delete(oldest);
    return true;
  }
}
