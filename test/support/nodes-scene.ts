/**
 * Two proxies on one stage: engines A and B with networks of their own, over one database and one rtpengine, and a wire
 * between them. Agents choose theirs:
 *
 *     const it = createNodesScene({ columns: ['alice', 'A', 'B', 'bob'] });
 *     await it.play(async () => {
 *       const alice = await it.A.registered({ name: 'alice', address: '192.0.2.1', transport: 'ws' });
 *       const bob = await it.B.registered({ name: 'bob', address: '192.0.2.2', transport: 'tcp' });
 *       …
 *     });
 *
 * A third one may be added by its name. `play` asks at the end what `proxy-scene.ts` asks, of each node that is alive.
 */
import assert from 'node:assert/strict';
import { routes } from '../../routes/routes.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { Failure } from '../../src/errors.ts';
import type { SipResponse } from '../../src/message/message.ts';
import type { ChangeStore, NodeAddress, NodeStore, PushService } from '../../src/ports.ts';
import { Agent, type AgentOptions, type RequestOptions } from './agent.ts';
import { createClock, type VirtualClock } from './clock.ts';
import { createLadder, type Ladder } from './ladder.ts';
import { createMediaRelayFake, type MediaRelayFake } from './media-relay-fake.ts';
import { createMemoryDatabase, type MemoryDatabase } from './memory-stores.ts';
import { createNames } from './names.ts';
import { createNetwork, type Passage, type Station, type VirtualNetwork } from './network.ts';
import {
  domain,
  engineOptions,
  type Life,
  type LogEntry,
  mortal,
  mortalClock,
  nothingIsLeft,
  type ProxySceneOptions,
  passwordOf,
  quietMs,
  recorder,
  silence,
} from './proxy-scene.ts';
import { createRandom } from './random.ts';

type NodeName = 'A' | 'B' | 'C';

export interface NodesSceneOptions
  extends Pick<
    ProxySceneOptions,
    'columns' | 'users' | 'isTrusted' | 'maxCalls' | 'graceMs' | 'tryingMs' | 'presence'
  > {
  /** How nodes talk to each other; default tcp. */
  readonly transport?: NodeAddress['transport'];
  readonly nodes?: readonly NodeName[];
  readonly push?: PushService;
  /** The rtpengine nodes that REST adds, as this node has them; default: none. */
  readonly addedNodes?: (node: NodeName) => { readAgain(): void };
  /** Without NODE_ADDRESS, and on a database that refuses to be asked of nodes. */
  readonly isAlone?: boolean;
}

export interface SceneNode {
  readonly name: NodeName;
  readonly network: VirtualNetwork;
  readonly log: readonly LogEntry[];
  proxy(): Engine;
  agent(options: AgentOptions): Agent;
  register(agent: Agent, request?: RequestOptions): Promise<SipResponse>;
  /** Its registration is not in the ladder. */
  registered(options: AgentOptions, request?: RequestOptions): Promise<Agent>;
  /** Kill -9: its connections close. */
  kill(): void;
  /** In order, as by SIGTERM. */
  stop(): Promise<void>;
  /** From the database: all that it asks there fails. */
  cutOff(isCut: boolean): void;
  /** After `kill` or `stop`, as another run of it; `id`: of a node that has taken its place and its address. */
  start(id?: string): Promise<void>;
}

export interface NodesScene {
  readonly clock: VirtualClock;
  readonly database: MemoryDatabase;
  readonly media: MediaRelayFake;
  readonly ladder: Ladder;
  readonly A: SceneNode;
  readonly B: SceneNode;
  readonly C: SceneNode;
  play(script: () => Promise<void>): Promise<void>;
}

interface World {
  readonly clock: VirtualClock;
  readonly database: MemoryDatabase;
  readonly media: MediaRelayFake;
  readonly options: NodesSceneOptions;
  readonly ladder: () => Ladder;
}

const lastByte: Readonly<Record<NodeName, number>> = { A: 101, B: 102, C: 103 };

export function createNodesScene(options: NodesSceneOptions): NodesScene {
  const { users = ['alice', 'bob'], nodes: names = ['A', 'B'] } = options;
  const clock = createClock();
  const database = createMemoryDatabase(clock);
  for (const user of users) database.addUser(user, domain, passwordOf(user));
  const media = createMediaRelayFake(clock);
  const world: World = { clock, database, media, options, ladder: () => ladder };
  const nodes = names.map((name) => new OneNode(name, world));
  for (const [index, one] of nodes.entries()) for (const other of nodes.slice(index + 1)) wire(one, other, options);
  const ladder = createLadder(bothNetworks(nodes), options.columns);
  const play = async (script: () => Promise<void>): Promise<void> => {
    try {
      for (const node of nodes) await node.start();
      // Each sees the others with its next beat.
      await clock.advance(2_500);
      ladder.clear();
      await script();
      database.set({ down: false, latencyMs: 0 });
      await clock.advance(quietMs);
      for (const node of nodes) if (node.isAlive) await nothingIsLeft({ engine: node.proxy(), media, log: node.log });
    } catch (thrown) {
      throw new Error(ladder.text(), { cause: thrown });
    }
  };
  const named = (name: NodeName): SceneNode => nodes.find((one) => one.name === name) ?? nodes[0] ?? assert.fail(name);
  return { clock, database, media, ladder, A: named('A'), B: named('B'), C: named('C'), play };
}

class OneNode implements SceneNode {
  readonly name: NodeName;
  readonly network: VirtualNetwork;
  readonly log: LogEntry[] = [];
  readonly address: string;
  readonly #world: World;
  #life: Life = { alive: false };
  #engine: Engine | undefined;
  #boots = 0;
  #isCut = false;

  constructor(name: NodeName, world: World) {
    this.name = name;
    this.#world = world;
    this.address = `192.0.2.${lastByte[name]}`;
    const listen = ['udp', 'tcp', 'ws', 'tls'].map((transport) => `${transport}:${this.address}:${portOf(transport)}`);
    const random = createRandom(lastByte[name]);
    this.network = createNetwork({ clock: world.clock, random, listen, name, boot: this.#bootId });
  }

  get isAlive(): boolean {
    return this.#life.alive;
  }

  get #bootId(): string {
    return `${this.name.toLowerCase()}0070${this.#boots}`;
  }

  proxy(): Engine {
    return this.#engine ?? assert.fail(`${this.name} has not been started`);
  }

  agent(options: AgentOptions): Agent {
    return new Agent(this.network, this.#world.clock, options);
  }

  async register(agent: Agent, request: RequestOptions = {}): Promise<SipResponse> {
    const first = agent.request('REGISTER', `sip:${domain}`, { headers: [['Expires', '600']], ...request });
    const answer = await agent.receivesFinal('REGISTER');
    if (answer.status !== 401) return answer;
    const [user = ''] = agent.aor.slice('sip:'.length).split('@');
    agent.login(first, answer, user, passwordOf(user));
    return agent.receivesFinal('REGISTER');
  }

  async registered(options: AgentOptions, request: RequestOptions = {}): Promise<Agent> {
    const agent = this.agent(options);
    const response = await this.register(agent, request);
    assert.equal(response.status, 200, `${agent.name} cannot register`);
    this.#world.ladder().clear();
    return agent;
  }

  kill(): void {
    this.#life.alive = false;
    this.network.attach(silence);
    this.network.restart(this.#bootId);
  }

  cutOff(isCut: boolean): void {
    this.#isCut = isCut;
  }

  /** A store of the database, for one life. */
  #stored<T extends object>(store: T, life: Life): T {
    const reached = new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: readonly unknown[]): unknown =>
          this.#isCut ? Promise.reject(new Failure('database-down')) : Reflect.apply(member, target, args);
      },
    });
    return mortal(reached, life);
  }

  async stop(): Promise<void> {
    await this.proxy().stop();
    this.kill();
  }

  async start(id = `n-${this.name}`): Promise<void> {
    const { clock, database, media, options } = this.#world;
    const life = { alive: true };
    this.#life = life;
    this.#boots++;
    this.network.restart(this.#bootId);
    const ports = {
      clock: mortalClock(clock, life),
      random: createRandom(1000 + lastByte[this.name] + this.#boots),
      network: this.network,
      resolver: createNames({}),
      subscribers: this.#stored(database.subscribers, life),
      aliases: this.#stored(database.aliases, life),
      sessions: this.#stored(database.sessions, life),
      location: this.#stored(database.location, life),
      dialogs: this.#stored(database.dialogs, life),
      outbox: this.#stored(database.outbox, life),
      failedCalls: this.#stored(database.failedCalls, life),
      callRecords: this.#stored(database.callRecords, life),
      presence: this.#stored(database.presence, life),
      messages: this.#stored(database.messages, life),
      changes: options.isAlone === true ? nobodyTells : this.#stored(database.changes, life),
      nodes: options.isAlone === true ? nobodyAsks : this.#stored(database.nodes, life),
      media: mortal(media, life),
      addedNodes: options.addedNodes?.(this.name),
      database,
      push: options.push,
      log: recorder(this.log),
    };
    const nodeAddress = options.isAlone === true ? undefined : nodeAddressOf(this.address, options);
    const own = { ...engineOptions(options, this.#bootId), node: id, nodeAddress };
    const engine = createEngine(ports, routes, own);
    this.#engine = engine;
    this.network.attach(engine);
    let isDone = false;
    const started = engine.start().then(() => {
      isDone = true;
    });
    await clock.advanceUntil(() => isDone, 10_000);
    await started;
  }
}

const nobodyAsks: NodeStore = {
  beat: () => assert.fail('a single node says that it is there'),
  leave: () => assert.fail('a single node says that it leaves'),
};

const nobodyTells: ChangeStore = {
  tell: () => assert.fail('a single node tells others'),
  recent: () => assert.fail('a single node asks what others tell'),
};

function nodeAddressOf(host: string, { transport = 'tcp' }: NodesSceneOptions): NodeAddress {
  return { transport, host, port: portOf(transport) };
}

const ports: Readonly<Record<string, number>> = { ws: 8080, tls: 5061 };
const portOf = (transport: string): number => ports[transport] ?? 5060;

/** Each of the two is a station in the network of the other: what arrives there is sent here. */
function wire(one: OneNode, other: OneNode, { transport = 'tcp' }: NodesSceneOptions): void {
  const stations: { one?: Station; other?: Station } = {};
  const place = ({ address }: OneNode) => ({ address, port: portOf(transport) });
  stations.other = one.network.station({
    name: other.name,
    transport,
    address: place(other),
    dialable: true,
    received: (text) => stations.one?.send(text),
    disconnected: (reason) => stations.one?.close(reason),
  });
  stations.one = other.network.station({
    name: one.name,
    transport,
    address: place(one),
    dialable: true,
    received: (text) => stations.other?.send(text),
    disconnected: (reason) => stations.other?.close(reason),
  });
}

/** What goes over a wire is drawn once, when its sender sends it. */
function bothNetworks(nodes: readonly OneNode[]): Pick<VirtualNetwork, 'watch'> {
  const isNode = (name: string): boolean => nodes.some((node) => node.name === name);
  return {
    watch: (watcher: (passage: Passage) => void) => {
      for (const { name, network } of nodes) {
        network.watch((passage) => {
          if (passage.from === name || !isNode(passage.from)) watcher(passage);
        });
      }
    },
  };
}
