/** A HTTP side with invented numbers behind it: for the tests of `routes/http/` and of `src/adapters/http/`. */
import { request } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { type Actions, apiRoutes } from '../../../routes/http/api.ts';
import type { Pages } from '../../../src/adapters/http/pages.ts';
import { createHttp, type HttpOptions, listenHttp } from '../../../src/adapters/http/server.ts';
import type {
  AliasSummary,
  CallSummary,
  Mailbox,
  MediaNodes,
  Operations,
  PublicationSummary,
  RefusedSource,
  Registration,
  ReloadReport,
  SessionSummary,
  Statistics,
  SubscriberSummary,
  SubscriptionSummary,
  WatcherRule,
} from '../../../src/engine/operations.ts';

export const statistics: Statistics = {
  uptimeSeconds: 12.5,
  registrations: { bindings: 3 },
  calls: { inProgress: 2, ringing: 1, answered: 1, failed: 4 },
  presence: { publications: 1, subscriptions: 2, notifying: 0 },
  transactions: { server: 1, client: 2 },
  connections: { tcp: 1, tls: 0, ws: 2, wss: 5 },
  messages: { requests: { INVITE: 7, other: 1 }, responses: { '200': 5 }, dropped: { 'too-large': 1 } },
  refusals: { 'not-found': 2 },
  rtpengine: [
    {
      id: 'n1',
      address: 'udp:127.0.0.1:22222',
      weight: 1,
      state: 'up',
      ports: { used: 4, free: 96 },
      lastError: undefined,
    },
    {
      id: 'n2',
      address: 'udp:127.0.0.1:22223',
      weight: 1,
      state: 'down',
      ports: undefined,
      lastError: 'did not answer',
    },
  ],
  database: { state: 'up', waiting: 0, lastError: undefined },
  nodes: [],
};

export const registration: Registration = {
  aor: 'sip:bob@example.com',
  contact: 'sip:x@y.invalid;transport=ws',
  publicGruu: undefined,
  transport: 'ws',
  source: '127.0.0.1:1234',
  userAgent: 'JsSIP',
  media: undefined,
  q: 1,
  expiresAt: '2030-01-01T00:00:00.000Z',
};

export const call: CallSummary = {
  id: 'abc',
  callId: 'abc@example.com',
  state: 'ringing',
  from: 'sip:alice@example.com',
  to: 'sip:bob@example.com',
  startedAt: '2030-01-01T00:00:00.000Z',
  answeredAt: undefined,
  callerMedia: 'webrtc',
  calleeMedia: undefined,
  rtpengine: undefined,
  endedAt: undefined,
  endedBy: undefined,
  status: undefined,
  code: undefined,
  reason: undefined,
  mediaFault: undefined,
  recording: undefined,
  legs: [
    {
      role: 'caller',
      profile: 'webrtc',
      packets: undefined,
      bytes: undefined,
      quality: undefined,
      noQuality: 'not-answered',
    },
    {
      role: 'callee',
      profile: undefined,
      packets: undefined,
      bytes: undefined,
      quality: undefined,
      noQuality: 'not-answered',
    },
  ],
};

export const mediaNodes: MediaNodes = {
  nodes: () => statistics.rtpengine,
  addNode: () => undefined,
  changeNode: () => undefined,
  removeNode: () => false,
};

export const reloadReport: ReloadReport = { changed: ['DOMAINS has changed'], needsRestart: ['LISTEN'] };

export const publication: PublicationSummary = {
  aor: 'sip:bob@example.com',
  event: 'presence',
  contentType: 'application/pidf+xml',
  bytes: 200,
  expiresAt: '2030-01-01T00:00:00.000Z',
};

export const subscription: SubscriptionSummary = {
  resource: 'sip:bob@example.com',
  event: 'dialog',
  watcher: 'sip:alice@example.com',
  state: 'active',
  notifications: 3,
  contact: 'sip:alice@192.0.2.1',
  since: '2029-12-31T00:00:00.000Z',
  expiresAt: '2030-01-01T00:00:00.000Z',
};

export const rule: WatcherRule = {
  presentity: 'sip:bob@example.com',
  watcher: 'sip:alice@example.com',
  policy: 'polite-block',
};

export const mailbox: Mailbox = {
  aor: 'sip:bob@example.com',
  newMessages: 2,
  oldMessages: 8,
  newUrgent: 0,
  oldUrgent: 1,
};

export const subscriber: SubscriberSummary = {
  address: 'alice@example.com',
  disabled: false,
  createdAt: '2030-01-01T00:00:00.000Z',
  updatedAt: '2030-01-02T00:00:00.000Z',
};

export const alias: AliasSummary = { pattern: '0049*', domain: 'example.com', target: '+49*' };

export const session: SessionSummary = {
  id: 'session-0123456789abcdef01234567',
  address: 'alice@example.com',
  createdAt: '2030-01-01T00:00:00.000Z',
  expiresAt: '2030-01-01T01:00:00.000Z',
};

export const refusedSource: RefusedSource = {
  source: '192.0.2.1',
  reason: 'failed-logins',
  over: 'udp',
  count: 31,
  lastAt: '2030-01-01T00:00:00.000Z',
  until: undefined,
};

export const operations: Operations = {
  health: () => ({ status: 'ok', version: '0.1.0', uptimeSeconds: 1, database: 'up', media: 'up', nodes: 0 }),
  nodes: () => [],
  metrics: async () => 'viaduct_draining 0\n',
  statistics: async () => statistics,
  registrations: async () => ({ items: [registration], next: undefined }),
  calls: async () => ({ items: [call], next: undefined }),
  call: async (id) => (id === call.id ? call : undefined),
  ladder: async () => undefined,
  explain: async () => undefined,
  record: async () => undefined,
  play: async () => false,
  stopPlaying: async () => false,
  block: async () => false,
  callsOnNode: (id) => (id === 'n1' ? 2 : 0),
  refusedSources: () => [refusedSource],
  liftBan: (source) => source === refusedSource.source,
  watch: () => () => undefined,
  publications: async () => ({ items: [publication], next: undefined }),
  subscriptions: async () => ({ items: [subscription], next: undefined }),
  watcherRules: async () => [rule],
  setWatcherRule: async () => undefined,
  removeWatcherRule: async () => true,
  mailbox: async () => mailbox,
  setMailbox: async () => undefined,
  subscribers: async () => ({ items: [subscriber], next: undefined }),
  subscriber: async (address) => (address === subscriber.address ? subscriber : undefined),
  addSubscriber: async () => subscriber,
  setSubscriberPassword: async (address) => address === subscriber.address,
  setSubscriberDisabled: async (address) => address === subscriber.address,
  removeSubscriber: async (address) => address === subscriber.address,
  sessions: async () => ({ items: [session], next: undefined }),
  addSession: async (address) =>
    address === session.address
      ? { ...session, username: session.id, password: 'once', webSocket: 'wss://192.0.2.1:8443' }
      : undefined,
  endSession: async (id) => id === session.id,
  aliases: async () => ({ items: [alias], next: undefined }),
  setAlias: async () => alias,
  removeAlias: async (pattern) => pattern === `${alias.pattern}@${alias.domain}`,
};

const page = (contentType: string, text: string) => ({
  contentType,
  body: Buffer.from(text),
  gzip: Buffer.from(`gzip of ${text}`),
  etag: `W/"${text.length}"`,
});

export const pages: Pages = new Map([
  ['/', page('text/html; charset=utf-8', '<h1>console</h1>')],
  ['/phone', page('text/html; charset=utf-8', '<h1>phone</h1>')],
  ['/phone.js', page('text/javascript; charset=utf-8', 'let phone;')],
]);

export const TOKEN = 'the-token';

/** `overrides` on top of: no token, and a phone in demo mode. */
export function http(overrides: Partial<HttpOptions & Actions> & { readonly operations?: Operations } = {}) {
  return createHttp({
    api: apiRoutes(overrides.operations ?? operations, {
      reload: overrides.reload ?? (async () => reloadReport),
      doctor: overrides.doctor ?? (async () => []),
      log: { level: 'info' },
      rtpengine: overrides.rtpengine ?? mediaNodes,
    }),
    apiToken: undefined,
    allowedHosts: () => ['viaduct.local'],
    pages,
    phone: (host, secure) => ({
      wsUrl: `${secure ? 'wss' : 'ws'}://${host}`,
      domain: 'example.com',
      demo: true,
      sip: [{ transport: 'udp', address: '127.0.0.1:5060' }],
      accounts: [{ name: 'alice', password: 'secret' }],
    }),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    ...overrides,
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON, `undefined` where it is none. */
  readonly json: unknown;
}

/** Asks over a real connection, with any Host header. */
export async function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async (response) => {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    const json: unknown = String(response.headers['content-type']).includes('json') ? JSON.parse(text) : undefined;
    resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
  });
  asked.on('error', reject).end();
  return promise;
}

/** Runs `body` against a listening HTTP side, and closes it whatever happens. */
export async function listening(
  overrides: Parameters<typeof http>[0],
  body: (port: number, app: FastifyInstance) => Promise<void>,
): Promise<void> {
  const app = await http(overrides);
  try {
    await body((await listenHttp(app, { host: '127.0.0.1', port: 0 })).port, app);
  } finally {
    await app.close();
  }
}
