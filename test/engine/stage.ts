/** An engine between routes of the test's own and a network that only notes what leaves: for what no route decides. */
import type { Proxy, Request, Routes } from '../../src/engine/api.ts';
import { createEngine, type Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { serialize } from '../../src/message/edit.ts';
import type { Listener, Network } from '../../src/ports.ts';
import { createClock } from '../support/clock.ts';
import { flowOf, listenerOf, type RequestParts, requestOf } from '../support/fake-proxy.ts';
import { createMediaRelayFake } from '../support/media-relay-fake.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../support/memory-stores.ts';
import { createNames } from '../support/names.ts';
import { createRandom } from '../support/random.ts';

/** Alice's connection. */
export const flow = flowOf('tcp', '192.0.2.1', 40_000);

const listeners: readonly Listener[] = [listenerOf('udp', 0), flow.listener];

export interface Stage {
  readonly engine: Engine;
  readonly database: MemoryDatabase;
  /** Each message that left, whole. */
  readonly sent: string[];
}

const options: EngineOptions = {
  node: 'n1',
  boot: 'b00700',
  secrets: ['secret'],
  domains: ['example.com'],
  isTrusted: () => true,
  acceptForeign: false,
  graceMs: 10_000,
  timerCMs: 181_000,
  presence: 'open',
  version: '0',
};

export async function createStage(request: Routes['request'], change: Partial<EngineOptions> = {}): Promise<Stage> {
  const clock = createClock();
  const sent: string[] = [];
  const network: Network = {
    listeners,
    send: (_, text) => sent.push(text) > 0,
    find: (id) => (id === flow.id ? flow : undefined),
    connect: () => flow,
    close: () => undefined,
    statistics: () => ({ connections: { tcp: 0, tls: 0, ws: 0, wss: 0 }, dropped: {} }),
  };
  const database = createMemoryDatabase(clock);
  const ignore = (): void => undefined;
  const engine = createEngine(
    {
      ...database,
      clock,
      network,
      database,
      random: createRandom(1),
      media: createMediaRelayFake(clock),
      resolver: createNames({}),
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    },
    {
      request,
      branch: async ({ message }) => message,
      reply: async ({ response }) => response,
      failure: async () => undefined,
    },
    { ...options, ...change },
  );
  await engine.start();
  return { engine, database, sent };
}

/** The text of a request that comes by alice's connection. */
export function textOf(parts: RequestParts, branch = 'z9hG4bKone'): string {
  return serialize(requestOf({ ...parts, flow }).message).replace('z9hG4bK1', branch);
}

/** The `Proxy` that a route gets, and the request as it gets it. */
export async function asRoute(
  text = textOf({}),
  change: Partial<EngineOptions> = {},
): Promise<Stage & { readonly proxy: Proxy; readonly request: Request }> {
  const seen = Promise.withResolvers<{ readonly proxy: Proxy; readonly request: Request }>();
  const stage = await createStage((request, proxy) => {
    seen.resolve({ request, proxy });
    return new Promise(() => undefined);
  }, change);
  stage.engine.message(text, flow);
  return { ...stage, ...(await seen.promise) };
}
