/**
 * The port `MediaRelay` over any number of rtpengine nodes: order of nodes for a new call, commands to a named node,
 * and the health of each by `ping` and `statistics`.
 *
 * Nothing here moves a call: once a branch has media on a node, all its commands go there, whatever its health.
 * Left out: profiles and what to send (src/media), the child process (child.ts).
 */
import { Failure, failureOf } from '../../errors.ts';
import type { NgCommand, NgReply, NgValue } from '../../media/commands.ts';
import type { Cancel, Clock, Log, MediaNode, MediaRelay, Random } from '../../ports.ts';
import { isDictionary } from './bencode.ts';
import { brief, type NgClient, type NgCounters, openNgClient, type Patience } from './ng-client.ts';
import { type NodeAddress, parseNodeAddress } from './node-address.ts';
import { answered, failed, healthState, type NodeHealth, portClosed, unknownHealth } from './node-health.ts';
import { byPreference } from './rendezvous.ts';

/** Between two looks at a node that answers. */
const probeMs = 5_000;
/** Before the next ping of one that does not. */
const reviveMs = 200;

export interface MediaRelayOptions {
  readonly nodes: readonly NodeAddress[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly maxInFlight?: number;
}

export interface OpenMediaRelay extends MediaRelay {
  /** Resolves when each node has answered its first ping, or failed to. */
  readonly ready: Promise<void>;
  /** New calls use these from now on; one that is not among them keeps its calls, and gets no new ones. */
  replaceNodes(nodes: readonly NodeAddress[]): void;
  /** `undefined`: it is there already. Throws when this is no address. */
  addNode(address: string, weight: number): MediaNode | undefined;
  /** `undefined`: it is not there. Draining: it keeps its calls, and gets no new ones. */
  changeNode(id: string, change: { readonly weight?: number; readonly draining?: boolean }): MediaNode | undefined;
  /** Nothing reaches it any more; `false`: it is not there. */
  removeNode(id: string): boolean;
  /** The ids of those by `addNode`: RTPENGINE does not know them. */
  added(): readonly string[];
  /** By node id, for the statistics. */
  counters(): Readonly<Record<string, NgCounters>>;
  shutdown(): Promise<void>;
}

interface Node extends NodeAddress {
  weight: number;
  /** Not in RTPENGINE any more. */
  retired: boolean;
  draining: boolean;
  /** By `addNode`: RTPENGINE does not know it. */
  readonly added: boolean;
  readonly client: NgClient;
  health: NodeHealth;
  ports: MediaNode['ports'];
  probing: boolean;
  cancelProbe: Cancel;
}

export function openMediaRelay(options: MediaRelayOptions): OpenMediaRelay {
  const { clock, log } = options;
  const nodes = new Map(options.nodes.map((address) => [address.id, openNode(address, false)]));
  let closed = false;
  const ready = Promise.all([...nodes.values()].map(probe)).then(() => {});

  function openNode(address: NodeAddress, added: boolean): Node {
    const onRefused = (reason: string): void => {
      const node = nodes.get(address.id);
      if (node !== undefined) learn(node, portClosed(node.health, reason));
    };
    const client = openNgClient({
      ...options,
      transport: address.transport,
      host: address.host,
      port: address.port,
      onRefused,
    });
    return {
      ...address,
      retired: false,
      draining: false,
      added,
      client,
      health: unknownHealth,
      ports: undefined,
      probing: false,
      cancelProbe: () => {},
    };
  }

  function candidates(callId: string): readonly string[] {
    const now = clock.nowMs();
    const ranked = byPreference(
      callId,
      [...nodes.values()].filter((node) => !leaves(node)),
    );
    const inState = (state: string): Node[] => ranked.filter((node) => healthState(node.health, now) === state);
    // A busy node refuses at once and may have ports again: better than no node at all, but after all others.
    return [...inState('up'), ...inState('busy')].map(({ id }) => id);
  }

  function send(nodeId: string, command: NgCommand, used?: (cookie: string) => void): Promise<NgReply> {
    const node = nodes.get(nodeId);
    if (node !== undefined) return perform(node, command, undefined, used);
    if (nodes.size === 0) return Promise.reject(new Failure('media-none'));
    return Promise.reject(new Failure('media-lost', `Node ${nodeId} is not in RTPENGINE any more.`));
  }

  async function perform(
    node: Node,
    command: NgCommand,
    patience?: Patience,
    used?: (cookie: string) => void,
  ): Promise<NgReply> {
    try {
      const reply = await node.client.send(command, patience, used);
      learn(node, answered(node.health, command));
      return reply;
    } catch (thrown) {
      const failure = failureOf(thrown);
      learn(node, failed(node.health, command, failure, clock.nowMs()));
      throw failure;
    }
  }

  function learn(node: Node, health: NodeHealth): void {
    const was = node.health.down;
    node.health = health;
    if (was === health.down || closed || nodes.get(node.id) !== node) return;
    const fields = { rtpengine: node.address, reason: health.lastError };
    if (health.down) log.warn(fields, 'rtpengine does not answer: new calls avoid it until it does');
    else log.info({ rtpengine: node.address }, 'rtpengine answers');
    // A node that just went down is pinged at once and often, so that calls work as soon as it is back.
    if (health.down) schedule(node, reviveMs);
  }

  async function probe(node: Node): Promise<void> {
    if (node.probing) return;
    node.probing = true;
    await ask(node, { command: 'ping' }, node.health.down ? brief : undefined);
    if (!node.health.down) node.ports = portsOf(await ask(node, { command: 'statistics' })) ?? node.ports;
    node.probing = false;
    schedule(node, node.health.down ? reviveMs : probeMs);
  }

  async function ask(node: Node, command: NgCommand, patience?: Patience): Promise<NgReply | undefined> {
    return perform(node, command, patience).catch(() => undefined);
  }

  function schedule(node: Node, delayMs: number): void {
    node.cancelProbe();
    if (closed || nodes.get(node.id) !== node) return;
    node.cancelProbe = clock.after(delayMs, () => void probe(node));
  }

  function replaceNodes(addresses: readonly NodeAddress[]): void {
    const wanted = new Map(addresses.map((address) => [address.id, address]));
    for (const node of nodes.values()) {
      node.retired = !node.added && !wanted.has(node.id);
      node.weight = wanted.get(node.id)?.weight ?? node.weight;
    }
    for (const [id, address] of wanted) {
      if (!nodes.has(id) && !closed) begin(openNode(address, false));
    }
  }

  function begin(node: Node): void {
    nodes.set(node.id, node);
    void probe(node);
  }

  function addNode(text: string, weight: number): MediaNode | undefined {
    const address = parseNodeAddress(`${text}=${weight}`);
    if (address === undefined)
      throw new Failure(
        'setting-invalid',
        `An rtpengine is named as udp:10.0.0.5:22222, or with tcp: or ws: before it: ${text}`,
      );
    if (nodes.has(address.id) || closed) return undefined;
    const node = openNode(address, true);
    begin(node);
    return describe(node, clock.nowMs());
  }

  function changeNode(
    id: string,
    { weight, draining }: { weight?: number; draining?: boolean },
  ): MediaNode | undefined {
    const node = nodes.get(id);
    if (node === undefined) return undefined;
    node.weight = weight ?? node.weight;
    node.draining = draining ?? node.draining;
    return describe(node, clock.nowMs());
  }

  function removeNode(id: string): boolean {
    const node = nodes.get(id);
    node?.cancelProbe();
    node?.client.close();
    return nodes.delete(id);
  }

  async function shutdown(): Promise<void> {
    closed = true;
    for (const node of nodes.values()) {
      node.cancelProbe();
      node.client.close();
    }
  }

  return {
    ready,
    candidates,
    send,
    shutdown,
    replaceNodes,
    addNode,
    changeNode,
    removeNode,
    nodes: () => [...nodes.values()].map((node) => describe(node, clock.nowMs())),
    added: () => [...nodes.values()].filter((node) => node.added).map(({ id }) => id),
    addressOf: (nodeId) => nodes.get(nodeId)?.address,
    counters: () => Object.fromEntries([...nodes.values()].map(({ id, client }) => [id, client.counters()])),
  };
}

const leaves = ({ retired, draining }: Node): boolean => retired || draining;

function describe(node: Node, nowMs: number): MediaNode {
  const { id, address, weight, ports, health } = node;
  const state = leaves(node) && !health.down ? 'draining' : healthState(health, nowMs);
  return { id, address, weight, ports, state, lastError: health.lastError };
}

/** The sum over the interfaces of `statistics`. */
function portsOf(reply: NgReply | undefined): MediaNode['ports'] {
  const statistics = dictionary(reply?.statistics);
  const interfaces = statistics?.interfaces;
  if (!Array.isArray(interfaces)) return undefined;
  const ports = interfaces.map((each) => dictionary(dictionary(each)?.ports));
  const sum = (key: string): number => ports.reduce((total, each) => total + number(each?.[key]), 0);
  return { used: sum('used'), free: sum('free') };
}

function dictionary(value: NgValue | undefined): NgReply | undefined {
  return isDictionary(value) ? value : undefined;
}

function number(value: NgValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}
