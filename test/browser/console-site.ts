/**
 * The console over invented numbers: the pages and REST as `npm start` serves them, and behind them a proxy that is not
 * there. A test says what it sees, and changes it while the page looks.
 */
import { apiRoutes } from '../../routes/http/api.ts';
import { bundlePages } from '../../src/adapters/http/pages.ts';
import { createHttp, listenHttp } from '../../src/adapters/http/server.ts';
import type { CallSummary, Health, Operations, Registration, Statistics } from '../../src/engine/operations.ts';
import type { Scope } from '../support/process.ts';

export interface ConsoleSite {
  readonly url: string;
  /** What REST answers from now on. */
  world: World;
}

export interface World {
  readonly health: Health;
  readonly statistics: Statistics;
  readonly registrations: readonly Registration[];
  readonly calls: readonly CallSummary[];
}

export interface SiteOptions {
  readonly apiToken?: string;
  readonly world?: Partial<World>;
}

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Ends with the scope. */
export async function openConsoleSite(scope: Scope, { apiToken, world }: SiteOptions = {}): Promise<ConsoleSite> {
  const site = { url: '', world: { ...quietWorld(), ...world } };
  const app = await createHttp({
    api: apiRoutes(operationsOf(site), { reload: async () => ({ changed: [], needsRestart: [] }) }),
    apiToken,
    allowedHosts: [],
    pages: await bundlePages(),
    phone: (host) => ({
      wsUrl: `ws://${host}`,
      domain: 'example.com',
      demo: true,
      sip: [{ transport: 'udp', address: '127.0.0.1:5060' }],
      accounts: [
        { name: 'alice', password: 'wander-4471' },
        { name: 'bob', password: 'hatter-9021' },
      ],
    }),
    log,
  });
  scope.after(() => app.close());
  const { port } = await listenHttp(app, { host: '127.0.0.1', port: 0 });
  site.url = `http://127.0.0.1:${port}`;
  return site;
}

function operationsOf(site: { readonly world: World }): Operations {
  return {
    health: () => site.world.health,
    statistics: async () => site.world.statistics,
    registrations: async () => ({ items: site.world.registrations, next: undefined }),
    calls: async () => ({ items: site.world.calls, next: undefined }),
    call: async (id) => site.world.calls.find((call) => call.id === id),
    ladder: async () => undefined,
    explain: async () => undefined,
    watch: () => () => undefined,
    publications: async () => ({ items: [], next: undefined }),
    subscriptions: async () => ({ items: [], next: undefined }),
    watcherRules: async () => [],
    setWatcherRule: async () => undefined,
    removeWatcherRule: async () => false,
    mailbox: async (aor) => ({ aor, newMessages: 0, oldMessages: 0, newUrgent: 0, oldUrgent: 0 }),
    setMailbox: async () => undefined,
  };
}

/** Just started: nobody is there yet. */
export function quietWorld(): World {
  return {
    health: { status: 'ok', version: '0.1.0', uptimeSeconds: 42, database: 'up', media: 'up' },
    statistics: {
      uptimeSeconds: 42,
      registrations: { bindings: 0 },
      calls: { inProgress: 0, ringing: 0, answered: 0, failed: 0 },
      transactions: { server: 0, client: 0 },
      connections: { tcp: 0, tls: 0, ws: 0, wss: 0 },
      messages: { requests: {}, responses: {}, dropped: {} },
      refusals: {},
      rtpengine: [node('10.0.0.5', 0)],
      database: { state: 'up', waiting: 0 },
    },
    registrations: [],
    calls: [],
  };
}

const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'];
const agents = ['JsSIP 3.13.8', 'Linphone/5.2.1', 'Yealink SIP-T46U 108.86', 'baresip v1.0.0', 'SIP.js/0.21.2'];
const kinds = ['webrtc', 'rtp', 'rtp', 'sdes'] as const;
const transports = ['wss', 'udp', 'tcp', 'tls', 'ws'] as const;

/** A working day, `seconds` after its start. */
export function busyWorld(nowMs: number, seconds: number): World {
  const calls = names.slice(0, 7).map((name, index) => callOf(name, index, nowMs));
  const quiet = quietWorld();
  const wave = 1 + 0.4 * Math.sin(seconds / 23) + 0.25 * Math.sin(seconds / 7);
  const turn = (scale: number) => Math.round(seconds * scale + 40 * Math.sin(seconds / 11));
  return {
    health: { ...quiet.health, uptimeSeconds: 273_600 + seconds },
    statistics: {
      ...quiet.statistics,
      uptimeSeconds: 273_600 + seconds,
      registrations: { bindings: 1180 + Math.round(24 * wave) },
      calls: { inProgress: calls.length + Math.round(9 * wave), ringing: 3, answered: 18_204 + turn(0.4), failed: 611 },
      transactions: { server: 18, client: 21 },
      connections: { tcp: 41, tls: 118, ws: 6, wss: 342 + Math.round(12 * wave) },
      messages: {
        requests: {
          REGISTER: 402_113 + turn(22),
          INVITE: 24_310 + turn(4),
          ACK: 24_007 + turn(4),
          BYE: 17_960 + turn(3),
          OPTIONS: 9204,
          SUBSCRIBE: 1288,
          CANCEL: 803,
        },
        responses: { '200': 440_021, '401': 201_007, '486': 240 },
        dropped: {},
      },
      refusals: { 'not-registered': 412, 'login-failed': 96, 'not-found': 61, 'no-relay': 24, 'media-refused': 3 },
      rtpengine: [
        node('10.0.0.5', 2210 + Math.round(60 * wave)),
        node('10.0.0.6', 1874),
        { ...node('10.0.0.7', 40), state: 'draining' },
      ],
    },
    registrations: names.map((name, index) => registrationOf(name, index, nowMs)),
    calls,
  };
}

function node(host: string, used: number): Statistics['rtpengine'][number] {
  return {
    id: host,
    address: `udp:${host}:22222`,
    weight: 1,
    state: 'up',
    ports: { used, free: 10_000 - used },
    lastError: undefined,
  };
}

function callOf(name: string, index: number, nowMs: number): CallSummary {
  const startedAt = new Date(nowMs - (index * 97 + 12) * 1000).toISOString();
  return {
    id: `call-${index}`,
    callId: `c${index}@example.com`,
    state: 'answered',
    from: `sip:${name}@example.com`,
    to: `sip:${names[(index * 3 + 4) % names.length]}@example.com`,
    startedAt,
    answeredAt: startedAt,
    callerMedia: kinds[index % kinds.length],
    calleeMedia: kinds[(index + 1) % kinds.length],
    rtpengine: '10.0.0.5',
    endedAt: undefined,
    endedBy: undefined,
    status: 200,
    code: undefined,
    reason: undefined,
  };
}

function registrationOf(name: string, index: number, nowMs: number): Registration {
  return {
    aor: `sip:${name}@example.com`,
    contact: `sip:${name}@192.0.2.${10 + index}:5060`,
    transport: transports[index % transports.length] ?? 'udp',
    source: `192.0.2.${10 + index}:${40_000 + index * 311}`,
    userAgent: agents[index % agents.length] ?? '',
    media: kinds[index % kinds.length],
    q: 1,
    expiresAt: new Date(nowMs + (index * 61 + 45) * 1000).toISOString(),
  };
}
