/**
 * The rtpengine nodes that REST may add, change and remove, kept in the database: a node that was added is there after a
 * restart, too. What is changed of a node of RTPENGINE holds until the end of this process: the setting is its truth.
 */
import type { OpenMediaRelay } from '../adapters/rtpengine/relay.ts';
import type { MediaNodes } from '../engine/operations.ts';
import type { AddedNodeStore, Log } from '../ports.ts';

type Relay = Pick<OpenMediaRelay, 'nodes' | 'addNode' | 'changeNode' | 'removeNode'>;

/** Those of before; a database that fails now costs the start nothing. */
export async function loadAddedNodes(relay: Relay, store: AddedNodeStore, log: Log): Promise<void> {
  try {
    for (const { address, weight, draining } of await store.list()) {
      const node = relay.addNode(address, weight);
      if (node !== undefined && draining) relay.changeNode(node.id, { draining });
    }
  } catch (thrown) {
    log.warn({ error: String(thrown) }, 'The rtpengine nodes that were added over REST are not in use');
  }
}

/** Done in the database first: what cannot be kept is not done. */
export function keptNodes(relay: Relay, store: AddedNodeStore): MediaNodes {
  const addressOf = (id: string): string | undefined => relay.nodes().find((node) => node.id === id)?.address;
  return {
    nodes: () => relay.nodes(),
    addNode: async (text, weight) => {
      const node = relay.addNode(text, weight);
      if (node === undefined) return undefined;
      try {
        await store.add(node.address, weight);
      } catch (thrown) {
        relay.removeNode(node.id);
        throw thrown;
      }
      return node;
    },
    changeNode: async (id, change) => {
      const address = addressOf(id);
      if (address === undefined) return undefined;
      await store.change(address, change);
      return relay.changeNode(id, change);
    },
    removeNode: async (id) => {
      const address = addressOf(id);
      if (address === undefined) return false;
      await store.remove(address);
      return relay.removeNode(id);
    },
  };
}
