/**
 * Media sessions that a killed process left in rtpengine (DESIGN §5): calls that were ringing, whose offers would hold
 * their ports for an hour. Looked for once after the start, node by node, and again while a node does not answer.
 *
 * One is deleted when its via-branch has our mark, no call here knows it, and no packet has gone through it: a session
 * with media whose record was lost goes on, and if its call is gone rtpengine ends it a minute after the last packet.
 */
import { hasMark, packets, texts } from '../../media/query.ts';
import type { Cancel, Clock, Log, MediaRelay } from '../../ports.ts';
import type { MediaDeletes } from './media-delete.ts';

const retryMs = 10_000;
const mostTries = 30;
/** What one reply can list; more than these were hardly ringing at once. */
const mostListed = 1000;

export interface LeftoverPorts {
  readonly relay: MediaRelay;
  readonly deletes: MediaDeletes;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where nodes are many, the call may be another's by now. */
type IsKnown = (name: string) => boolean | Promise<boolean>;

export class MediaLeftovers {
  readonly #ports: LeftoverPorts;
  readonly #mark: string;
  readonly #isKnown: IsKnown;
  readonly #timers = new Map<string, Cancel>();
  #stopped = false;

  constructor(ports: LeftoverPorts, mark: string, isKnown: IsKnown) {
    this.#ports = ports;
    this.#mark = mark;
    this.#isKnown = isKnown;
  }

  start(): void {
    for (const { id } of this.#ports.relay.nodes()) this.#look(id, mostTries);
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
  }

  #look(node: string, tries: number): void {
    this.#clear(node).catch((thrown: unknown) => {
      this.#ports.log.debug({ node, error: String(thrown) }, 'Old media sessions could not be looked for');
      if (tries <= 1 || this.#stopped) return;
      this.#timers.set(
        node,
        this.#ports.clock.after(retryMs, () => this.#look(node, tries - 1)),
      );
    });
  }

  /** One after the other: nothing here is in a hurry, and calls that begin now are. */
  async #clear(node: string): Promise<void> {
    const { relay, deletes, log } = this.#ports;
    const { calls } = await relay.send(node, { command: 'list', limit: mostListed });
    for (const callId of texts(calls)) {
      if (this.#stopped) return;
      if ((await this.#isKnown(callId)) || !(await this.#isLeftOver(node, callId))) continue;
      deletes.call(node, callId);
      log.info({ callId, node }, 'A media session of before the restart was deleted');
    }
  }

  async #isLeftOver(node: string, callId: string): Promise<boolean> {
    const reply = await this.#ports.relay.send(node, { command: 'query', 'call-id': callId }).catch(() => undefined);
    // It may have begun while rtpengine was asked.
    if (reply === undefined || !hasMark(reply, this.#mark) || packets(reply) !== 0) return false;
    return !(await this.#isKnown(callId));
  }
}

/** Of this node at its start, and of each other that is gone. */
export class Leftovers {
  readonly #ports: LeftoverPorts;
  readonly #isKnown: IsKnown;
  readonly #byNode = new Map<string, MediaLeftovers>();

  constructor(ports: LeftoverPorts, isKnown: IsKnown) {
    this.#ports = ports;
    this.#isKnown = isKnown;
  }

  clear(node: string): void {
    this.#byNode.get(node)?.stop();
    const ofNode = new MediaLeftovers(this.#ports, node, this.#isKnown);
    this.#byNode.set(node, ofNode);
    ofNode.start();
  }

  stop(): void {
    for (const ofNode of this.#byNode.values()) ofNode.stop();
  }
}
