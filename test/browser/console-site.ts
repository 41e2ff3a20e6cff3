/**
 * The console over invented numbers: the pages and REST as `npm start` serves them, and behind them a proxy that is not
 * there. A test says what it sees, and changes it while the page looks.
 */
import { type Actions, apiRoutes } from '../../routes/http/api.ts';
import type { PhoneConfig } from '../../src/adapters/http/page-routes.ts';
import { bundlePages } from '../../src/adapters/http/pages.ts';
import { createHttp, listenHttp } from '../../src/adapters/http/server.ts';
import type {
  CallExplanation,
  CallSummary,
  Happening,
  Health,
  LadderReport,
  MediaNodes,
  Operations,
  Registration,
  Statistics,
} from '../../src/engine/operations.ts';
import { errors } from '../../src/errors.ts';
import { operations, reloadReport, subscription } from '../adapters/http/fixture.ts';
import type { Scope } from '../support/process.ts';
import { inventedExplanation, inventedLadder } from './console-ladder.ts';

export interface ConsoleSite {
  readonly url: string;
  /** What REST answers from now on; who listens to events is told the numbers. */
  show(world: Partial<World>): void;
  stop(): Promise<void>;
  /** After `stop`, on the same port. */
  start(): Promise<void>;
}

export interface World {
  readonly health: Health;
  readonly statistics: Statistics;
  readonly registrations: readonly Registration[];
  readonly calls: readonly CallSummary[];
  readonly ladder: LadderReport | undefined;
  readonly explanation: CallExplanation | undefined;
}

export interface SiteOptions {
  readonly apiToken?: string;
  readonly world?: Partial<World>;
}

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Ends with the scope. */
export async function openConsoleSite(scope: Scope, { apiToken, world }: SiteOptions = {}): Promise<ConsoleSite> {
  const proxy = inventProxy({ ...quietWorld(), ...world });
  const pages = await bundlePages();
  const open = async (at: number) => {
    const api = apiRoutes(proxy.invented, {
      reload: async () => reloadReport,
      doctor: async () => findings,
      log: { level: 'info' },
      rtpengine: proxy.nodes,
    });
    const app = await createHttp({ api, apiToken, allowedHosts: () => [], pages, phone: phoneConfig, log });
    return { app, port: (await listenHttp(app, { host: '127.0.0.1', port: at })).port };
  };
  let site = await open(0);
  scope.after(() => site.app.close());
  return {
    url: `http://127.0.0.1:${site.port}`,
    show: proxy.show,
    stop: () => site.app.close(),
    async start() {
      site = await open(site.port);
    },
  };
}

function phoneConfig(host: string): PhoneConfig {
  return {
    wsUrl: `ws://${host}`,
    domain: 'example.com',
    demo: true,
    sip: [{ transport: 'udp', address: '127.0.0.1:5060' }],
    accounts: [
      { name: 'alice', password: 'wander-4471' },
      { name: 'bob', password: 'hatter-9021' },
    ],
  };
}

/** What no test changes is as in `test/adapters/http/fixture.ts`. */
function inventProxy(first: World) {
  let world = first;
  const watchers = new Set<(happening: Happening) => void>();
  const call = async (id: string) => world.calls.find((each) => each.id === id);
  const invented: Operations = {
    ...operations,
    health: () => world.health,
    statistics: async () => world.statistics,
    registrations: async () => ({ items: world.registrations, next: undefined }),
    calls: async ({ state }) => ({
      items: world.calls.filter((each) => state === undefined || each.state === state),
      next: undefined,
      ...(world.health.database === 'down' ? { partial: true } : {}),
    }),
    call,
    async ladder(id) {
      const found = await call(id);
      return found === undefined || world.ladder === undefined ? undefined : { ...world.ladder, call: found };
    },
    async explain(id) {
      const found = await call(id);
      return found === undefined || world.explanation === undefined ? undefined : { ...world.explanation, call: found };
    },
    refusedSources: () => banned,
    liftBan(source) {
      const before = banned.length;
      banned = banned.filter((refused) => refused.source !== source);
      return banned.length < before;
    },
    subscriptions: async () => ({ items: watching, next: undefined }),
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
  let banned = refusedSources;
  const nodes: MediaNodes = {
    nodes: () => world.statistics.rtpengine,
    addNode: () => undefined,
    removeNode: () => false,
    changeNode(id, { weight, draining }) {
      const changed = (node: MediaNode): MediaNode => ({
        ...node,
        weight: weight ?? node.weight,
        state: draining === undefined ? node.state : draining ? 'draining' : 'up',
      });
      const rtpengine = world.statistics.rtpengine.map((node) => (node.id === id ? changed(node) : node));
      world = { ...world, statistics: { ...world.statistics, rtpengine } };
      return rtpengine.find((node) => node.id === id);
    },
  };
  return {
    nodes,
    invented,
    show: (next: Partial<World>) => {
      world = { ...world, ...next };
      const [newest] = world.calls;
      for (const tell of watchers) {
        tell({ type: 'counters', statistics: world.statistics });
        if (newest !== undefined) tell({ type: 'call', change: 'started', call: newest });
      }
    },
  };
}

/** Just started: nobody is there yet. */
export function quietWorld(): World {
  return {
    health: { status: 'ok', version: '0.1.0', uptimeSeconds: 42, database: 'up', media: 'up', nodes: 0 },
    statistics: {
      uptimeSeconds: 42,
      registrations: { bindings: 0 },
      calls: { inProgress: 0, ringing: 0, answered: 0, failed: 0 },
      presence: { publications: 0, subscriptions: 0, notifying: 0 },
      transactions: { server: 0, client: 0 },
      connections: { tcp: 0, tls: 0, ws: 0, wss: 0 },
      messages: { requests: {}, responses: {}, dropped: {} },
      refusals: {},
      rtpengine: [node('10.0.0.5', 0)],
      database: { state: 'up', waiting: 0, lastError: undefined },
      nodes: [],
    },
    registrations: [],
    calls: [],
    ladder: undefined,
    explanation: undefined,
  };
}

type MediaNode = Statistics['rtpengine'][number];
type RefusedSource = ReturnType<Operations['refusedSources']>[number];

const refusedSources: readonly RefusedSource[] = [
  { source: '203.0.113.99', reason: 'scanner', over: 'everything', count: 412, lastAt: soon(-9), until: soon(2400) },
  {
    source: '198.51.100.7',
    reason: 'failed-logins',
    over: 'everything',
    count: 31,
    lastAt: soon(-80),
    until: soon(520),
  },
  {
    source: '2001:db8:7::/64',
    reason: 'too-many-messages',
    over: 'udp',
    count: 2204,
    lastAt: soon(-600),
    until: undefined,
  },
];

const watching = ['alice', 'carol', 'dave'].map((name, index) => ({
  ...subscription,
  resource: 'sip:bob@example.com',
  watcher: `sip:${name}@example.com`,
  notifications: 3 + index * 4,
  expiresAt: soon(900 + index * 300),
}));

const findings: Awaited<ReturnType<Actions['doctor']>> = [
  {
    check: 'certificate',
    level: 'warning',
    says: 'The certificate ends in 9 days.',
    cure: 'Renew it: `npx viaduct certificate`.',
  },
  { check: 'database', level: 'ok', says: 'PostgreSQL answers, and every migration is done.', cure: '' },
];

function soon(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'];
const agents = ['JsSIP 3.13.8', 'Linphone/5.2.1', 'Yealink SIP-T46U 108.86', 'baresip v1.0.0', 'SIP.js/0.21.2'];
const kinds = ['webrtc', 'rtp', 'rtp', 'sdes'] as const;
const transports = ['wss', 'udp', 'tcp', 'tls', 'ws'] as const;

/** A working day, `seconds` after its start. */
export function busyWorld(nowMs: number, seconds: number): World {
  const talking = names.slice(0, 7).map((name, index) => callOf(name, index, nowMs));
  const calls = [...talking, ...endedCalls(nowMs)];
  const quiet = quietWorld();
  const wave = 1 + 0.4 * Math.sin(seconds / 23) + 0.25 * Math.sin(seconds / 7);
  const turn = (scale: number) => Math.round(seconds * scale + 40 * Math.sin(seconds / 11));
  return {
    health: { ...quiet.health, uptimeSeconds: 273_600 + seconds },
    statistics: {
      ...quiet.statistics,
      uptimeSeconds: 273_600 + seconds,
      registrations: { bindings: 1180 + Math.round(24 * wave) },
      calls: {
        inProgress: talking.length + Math.round(9 * wave),
        ringing: 3,
        answered: 18_204 + turn(0.4),
        failed: 611,
      },
      presence: { publications: 37, subscriptions: 412, notifying: 2 },
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
    ladder: inventedLadder(nowMs),
    explanation: inventedExplanation(nowMs, seconds),
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
    mediaFault: undefined,
    recording: undefined,
    legs: legsOf(index),
  };
}

function legsOf(index: number): CallSummary['legs'] {
  const packets = 1_500 * (index + 1);
  const of = { packets, bytes: packets * 172, profile: undefined };
  const quality = { mos: 4.3, jitterMs: 4, lossPercent: 0.2, roundTripMs: 31, lost: 7 };
  return [
    { ...of, role: 'caller', quality, noQuality: undefined },
    { ...of, role: 'callee', quality: undefined, noQuality: 'no-rtcp' },
  ];
}

function endedCalls(nowMs: number): readonly CallSummary[] {
  const ended = { ...callOf('ivan', 9, nowMs), id: 'ended', state: 'ended' } as const;
  const endedAt = new Date(nowMs - 500_000).toISOString();
  const failed = { ...ended, state: 'failed', answeredAt: undefined, calleeMedia: undefined, endedAt } as const;
  return [
    { ...ended, endedAt, endedBy: 'callee' },
    {
      ...failed,
      id: 'failed',
      from: 'sip:judy@example.com',
      status: 480,
      code: 'not-registered',
      reason: errors['not-registered'].meaning,
    },
    { ...failed, id: 'busy', from: 'sip:heidi@example.com', status: 486 },
  ];
}

function registrationOf(name: string, index: number, nowMs: number): Registration {
  return {
    aor: `sip:${name}@example.com`,
    contact: `sip:${name}@192.0.2.${10 + index}:5060`,
    publicGruu:
      index % 2 === 0 ? `sip:${name}@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6` : undefined,
    transport: transports[index % transports.length] ?? 'udp',
    source: `192.0.2.${10 + index}:${40_000 + index * 311}`,
    userAgent: agents[index % agents.length] ?? '',
    media: kinds[index % kinds.length],
    q: 1,
    expiresAt: new Date(nowMs + (index * 61 + 45) * 1000).toISOString(),
  };
}
