/**
 * The rtpengine nodes that REST may add, change and remove, kept in the database: a node that was added is there after a
 * restart, too, and at all nodes of ours. What is changed of a node of RTPENGINE holds at this one until the end of this
 * process: the setting is its truth.
 */
import type { OpenMediaRelay } from '../adapters/rtpengine/relay.ts';
import type { MediaNodes } from '../engine/operations.ts';
import type { AddedNode, AddedNodeStore, Cancel, Clock, Log } from '../ports.ts';

type Relay = Pick<OpenMediaRelay, 'nodes' | 'added' | 'addNode' | 'changeNode' | 'removeNode'>;

/** Until the table is read again, where calls are on a node that was removed, or where it could not be: then twice as long each time. */
const againMs = 2_000;
const longestMs = 30_000;

export interface KeptNodesParts {
  /** Other nodes of ours, that the table is another. */
  tell(): void;
  /** How many calls of this node of ours have media there. */
  callsOn(id: string): number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface KeptNodes extends MediaNodes {
  /** The table may be another: what it says is in use soon. */
  readAgain(): void;
  /** The table is not read any more. */
  stop(): void;
}

/** Those of before; a database that fails now costs the start nothing. */
export async function loadAddedNodes(relay: Relay, store: AddedNodeStore, log: Log): Promise<void> {
  try {
    for (const row of await store.list()) use(relay, row);
  } catch (thrown) {
    log.warn({ error: String(thrown) }, 'The rtpengine nodes that were added over REST are not in use');
  }
}

/** Nothing happens to one of RTPENGINE. */
function use(relay: Relay, { address, weight, draining }: AddedNode): void {
  const id = relay.nodes().find((node) => node.address === address)?.id ?? relay.addNode(address, weight)?.id;
  if (id !== undefined && relay.added().includes(id)) relay.changeNode(id, { weight, draining });
}

/** Done in the database first: what cannot be kept is not done. One after the other: rows read before are older. */
export function keptNodes(relay: Relay, store: AddedNodeStore, parts: KeptNodesParts): KeptNodes {
  const inTurn = createTurns();
  const addressOf = (id: string): string | undefined => relay.nodes().find((node) => node.id === id)?.address;

  async function addNode(text: string, weight: number) {
    const node = relay.addNode(text, weight);
    if (node === undefined) return undefined;
    try {
      await store.add(node.address, weight);
    } catch (thrown) {
      relay.removeNode(node.id);
      throw thrown;
    }
    parts.tell();
    return node;
  }

  async function changeNode(id: string, change: Parameters<MediaNodes['changeNode']>[1]) {
    const address = addressOf(id);
    if (address === undefined) return undefined;
    await store.change(address, change);
    if (relay.added().includes(id)) parts.tell();
    return relay.changeNode(id, change);
  }

  async function removeNode(id: string): Promise<boolean> {
    const address = addressOf(id);
    if (address === undefined) return false;
    await store.remove(address);
    if (relay.added().includes(id)) parts.tell();
    return relay.removeNode(id);
  }

  const reader = createReader(relay, store, parts);
  return {
    nodes: () => relay.nodes(),
    addNode: (text, weight) => inTurn(() => addNode(text, weight)),
    changeNode: (id, change) => inTurn(() => changeNode(id, change)),
    removeNode: (id) => inTurn(() => removeNode(id)),
    readAgain: () => reader.ask(inTurn),
    stop: () => reader.stop(),
  };
}

type Turns = <T>(step: () => Promise<T>) => Promise<T>;

function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (step) => {
    const mine = last.then(step);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Told ten times at once, it reads once more; what is to be read again waits for one time only. */
function createReader(relay: Relay, store: AddedNodeStore, { callsOn, clock, log }: KeptNodesParts) {
  let isAsked = false;
  let isStopped = false;
  let again: Cancel | undefined;
  let waitMs = againMs;

  /** Whether all is as the table says. */
  async function read(): Promise<boolean> {
    isAsked = false;
    try {
      const rows = await store.list();
      for (const row of rows) use(relay, row);
      waitMs = againMs;
      return leave(new Set(rows.map(({ address }) => address)));
    } catch (thrown) {
      log.debug({ error: String(thrown) }, 'The rtpengine nodes that were added over REST are read later');
      waitMs = Math.min(longestMs, waitMs * 2);
      return false;
    }
  }

  /** Calls of ours on one that was removed at another node go on to their end, and new ones go elsewhere. */
  function leave(kept: ReadonlySet<string>): boolean {
    const added = new Set(relay.added());
    const gone = relay.nodes().filter(({ id, address }) => added.has(id) && !kept.has(address));
    const busy = gone.filter(({ id }) => callsOn(id) > 0);
    for (const { id } of gone) if (callsOn(id) === 0) relay.removeNode(id);
    for (const { id } of busy) relay.changeNode(id, { draining: true });
    return busy.length === 0;
  }

  function ask(inTurn: Turns): void {
    if (isAsked || isStopped) return;
    isAsked = true;
    void inTurn(read).then((isDone) => {
      again?.();
      if (!isDone && !isStopped) again = clock.after(waitMs, () => ask(inTurn));
    });
  }

  function stop(): void {
    isStopped = true;
    again?.();
  }

  return { ask, stop };
}
