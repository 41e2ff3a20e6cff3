/**
 * A stage for call tests: virtual clock, seeded chance, a network, the proxy on it, and agents by name.
 *
 *     const scene = createScene({ columns: ['alice', 'proxy', 'bob'], start: (world) => createEngine(…) });
 *     const alice = scene.agent({ name: 'alice', address: '192.0.2.1' });
 *     await scene.play(async () => { … scene.ladder.expect(`F1 alice ─INVITE▶ proxy …`); });
 */
import type { NetworkEvents } from '../../src/ports.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { createClock, type VirtualClock } from './clock.ts';
import { createLadder, type Ladder } from './ladder.ts';
import { createNetwork, type VirtualNetwork, type Weather } from './network.ts';
import { createRandom, type SeededRandom } from './random.ts';

export interface World {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
}

export interface SceneOptions<E extends NetworkEvents> {
  /** Who stands left of whom in the ladder. */
  readonly columns: readonly string[];
  /** Makes the proxy. */
  readonly start: (world: World) => E;
  readonly listen?: readonly string[];
  readonly weather?: Partial<Weather>;
  readonly seed?: number;
  /** What the clock says at first. */
  readonly startMs?: number | undefined;
}

export interface Scene<E extends NetworkEvents> extends World {
  readonly engine: E;
  readonly ladder: Ladder;
  agent(options: AgentOptions): Agent;
  /** Runs the script; when it fails, the ladder and the seed stand before the stack. */
  play(script: () => Promise<void>): Promise<void>;
}

export const defaultListen = [
  'udp:192.0.2.100:5060',
  'tcp:192.0.2.100:5060',
  'tls:192.0.2.100:5061',
  'ws:192.0.2.100:8080',
  'wss:192.0.2.100:8443',
] as const;

export function createScene<E extends NetworkEvents>(options: SceneOptions<E>): Scene<E> {
  const { columns, start, listen = defaultListen, weather = {}, seed = 1 } = options;
  const clock = createClock(options.startMs);
  // The weather has chance of its own: a proxy that rolls once more does not change it.
  const network = createNetwork({ clock, random: createRandom(seed), listen, weather });
  const world: World = { clock, random: createRandom(seed + 1), network };
  const engine = start(world);
  network.attach(engine);
  const ladder = createLadder(network, columns);
  const play = async (script: () => Promise<void>): Promise<void> => {
    try {
      await script();
    } catch (thrown) {
      throw new Error(`seed ${seed}\n${ladder.text()}`, { cause: thrown });
    }
  };
  return { ...world, engine, ladder, play, agent: (agent) => new Agent(network, clock, agent) };
}
