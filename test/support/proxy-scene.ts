/**
 * The whole proxy on a stage: engine and routes of this project, stores and media relay in memory, virtual clock and
 * network, agents by name.
 *
 *     const scene = createProxyScene({ columns: ['alice', 'proxy', 'bob'], users: ['alice', 'bob'] });
 *     const alice = scene.agent({ name: 'alice', address: '192.0.2.1' });
 *     const bob = await scene.registered({ name: 'bob', address: '192.0.2.2' });
 *     await scene.play(async () => { … });
 *
 * `play` asks at the end of every script what every call must leave behind: nothing. No media session, no transaction,
 * no fault in the log.
 */
import assert from 'node:assert/strict';
import { routes } from '../../routes/routes.ts';
import type { Routes } from '../../src/engine/api.ts';
import type { ProtectionOptions } from '../../src/engine/auth/protection.ts';
import { createEngine, type Engine, type EngineOptions } from '../../src/engine/engine.ts';
import type { TransactionLimits } from '../../src/engine/transactions.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import type { Clock, Log, NetworkEvents, PushService, TokenVerifier } from '../../src/ports.ts';
import type { Agent, AgentDialog, AgentOptions, RequestOptions } from './agent.ts';
import { createMediaRelayFake, type MediaRelayFake } from './media-relay-fake.ts';
import { createMemoryDatabase, type MemoryDatabase } from './memory-stores.ts';
import { createNames, type Names } from './names.ts';
import type { Weather } from './network.ts';
import { createScene, type Scene } from './scene.ts';
import { phoneAnswer, phoneOffer } from './sdp.ts';

export interface ProxySceneOptions {
  readonly columns: readonly string[];
  /** With the password `secret-<name>`, in example.com. Default alice and bob. */
  readonly users?: readonly string[];
  /** Addresses that need no digest. Default all: most scripts are about something else. */
  readonly isTrusted?: (address: string) => boolean;
  readonly acceptForeign?: boolean;
  readonly presence?: 'open' | 'confirm';
  readonly listen?: readonly string[];
  readonly weather?: Partial<Weather>;
  readonly seed?: number;
  readonly startMs?: number;
  readonly graceMs?: number;
  readonly maxCalls?: number;
  readonly tryingMs?: number;
  readonly mediaIdleMs?: number;
  readonly canRecord?: boolean;
  readonly recordsAll?: boolean;
  /** Default: nobody is asked whether he is there. */
  readonly keepAliveMs?: number;
  readonly transactionLimits?: TransactionLimits;
  /** Default: nobody is refused for what he does. */
  readonly protection?: ProtectionOptions;
  /** Default: those of the project. */
  readonly routes?: Routes;
  /** How busy the process is, from 0 to 1; default: not at all. */
  readonly utilization?: () => number;
  /** What the DNS knows. */
  readonly names?: Names;
  /** Default: nobody is woken. */
  readonly push?: PushService;
  /** Default: nobody logs in by a token. */
  readonly tokens?: TokenVerifier;
}

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly text: string;
}

export interface ProxyScene extends Scene<NetworkEvents> {
  readonly database: MemoryDatabase;
  readonly media: MediaRelayFake;
  readonly log: readonly LogEntry[];
  /** The engine that runs now. */
  proxy(): Engine;
  /** Starts the engine, plays the script, waits until all timers have run out, and asks what is left. */
  play(script: () => Promise<void>): Promise<void>;
  /** Registers the agent, with its password when it is asked. */
  register(agent: Agent, options?: RequestOptions): Promise<SipResponse>;
  /** An agent that is registered; its registration is not in the ladder. */
  registered(options: AgentOptions, request?: RequestOptions): Promise<Agent>;
  /** A call from INVITE to ACK. */
  call(caller: Agent, callee: Agent, options?: CallOptions): Promise<Call>;
  /** BYE and its 200. */
  hangUp(by: Agent, dialog: AgentDialog, other: Agent): Promise<void>;
  /** Kill -9 and a new start on what is in the database. */
  restart(boot?: string): Promise<void>;
}

export interface CallOptions {
  readonly to?: string;
  readonly callId?: string;
  /** Default a telephone's offer and answer. */
  readonly offer?: string;
  readonly answer?: string;
}

/** A call that is up, seen from both ends. */
export interface Call {
  readonly invite: SipRequest;
  readonly received: SipRequest;
  readonly answered: SipResponse;
  readonly caller: AgentDialog;
  readonly callee: AgentDialog;
}

export const sdpType = 'application/sdp';

/** Longer than any timer of RFC 3261 but timer C: 64*T1 and timer K. */
export const quietMs = 40_000;

export function createProxyScene(options: ProxySceneOptions): ProxyScene {
  const { users = ['alice', 'bob'] } = options;
  const log: LogEntry[] = [];
  const scene = createScene<NetworkEvents>({ ...options, start: () => silence });
  const { clock, random, network, ladder } = scene;
  const database = createMemoryDatabase(clock);
  for (const user of users) database.addUser(user, 'example.com', passwordOf(user));
  const media = createMediaRelayFake(clock);
  let life = { alive: true };
  let engine: Engine | undefined;

  const start = async (boot: string): Promise<void> => {
    life = { alive: true };
    engine = createEngine(
      {
        clock: mortalClock(clock, life),
        random,
        network,
        resolver: createNames(options.names ?? {}),
        subscribers: mortal(database.subscribers, life),
        aliases: mortal(database.aliases, life),
        sessions: mortal(database.sessions, life),
        location: mortal(database.location, life),
        dialogs: mortal(database.dialogs, life),
        outbox: mortal(database.outbox, life),
        failedCalls: mortal(database.failedCalls, life),
        callRecords: mortal(database.callRecords, life),
        presence: mortal(database.presence, life),
        messages: mortal(database.messages, life),
        media: mortal(media, life),
        database,
        push: options.push,
        tokens: options.tokens,
        log: recorder(log),
        load: { utilization: options.utilization ?? (() => 0) },
      },
      options.routes ?? routes,
      engineOptions(options, boot),
    );
    network.attach(engine);
    const running = { done: false };
    const started = engine.start().then(() => {
      running.done = true;
    });
    await clock.advanceUntil(() => running.done, 10_000);
    await started;
  };
  const proxy = (): Engine => {
    assert.ok(engine !== undefined, 'the engine runs inside of play()');
    return engine;
  };
  const play = (script: () => Promise<void>): Promise<void> =>
    scene.play(async () => {
      await start('b00700');
      await script();
      database.set({ down: false, latencyMs: 0 });
      await clock.advance(quietMs);
      await nothingIsLeft({ engine: proxy(), media, log });
    });
  const restart = async (boot = 'b00701'): Promise<void> => {
    life.alive = false;
    network.attach(silence);
    network.restart(boot);
    await start(boot);
  };
  const register = async (agent: Agent, request: RequestOptions = {}): Promise<SipResponse> => {
    const first = agent.request('REGISTER', `sip:${domain}`, { headers: [['Expires', '600']], ...request });
    const answer = await agent.receivesFinal('REGISTER');
    if (answer.status !== 401) return answer;
    agent.login(first, answer, agent.name, passwordOf(agent.name));
    return agent.receivesFinal('REGISTER');
  };
  const registered = async (agentOptions: AgentOptions, request: RequestOptions = {}): Promise<Agent> => {
    const agent = scene.agent(agentOptions);
    const response = await register(agent, request);
    assert.equal(response.status, 200, `${agent.name} cannot register`);
    ladder.clear();
    return agent;
  };
  return {
    ...scene,
    database,
    media,
    log,
    proxy,
    play,
    register,
    registered,
    call,
    hangUp,
    restart,
  };
}

export const domain = 'example.com';

export function passwordOf(user: string): string {
  return `secret-${user}`;
}

export const silence: NetworkEvents = { message: () => undefined, closed: () => undefined };

export function engineOptions(options: Partial<ProxySceneOptions>, boot: string): EngineOptions {
  return {
    node: 'n1',
    boot,
    secrets: ['00112233445566778899aabbccddeeff'],
    domains: [domain],
    isTrusted: options.isTrusted ?? (() => true),
    acceptForeign: options.acceptForeign ?? false,
    graceMs: options.graceMs ?? 10_000,
    timerCMs: 180_000,
    maxCalls: options.maxCalls ?? 0,
    tryingMs: options.tryingMs ?? 5_000,
    mediaIdleMs: options.mediaIdleMs ?? 0,
    canRecord: options.canRecord ?? false,
    recordsAll: options.recordsAll ?? false,
    keepAliveMs: options.keepAliveMs ?? 0,
    transactionLimits: options.transactionLimits,
    presence: options.presence ?? 'open',
    protection: options.protection,
    version: '0.0.0-test',
  };
}

// --- scripts ---------------------------------------------------------------------------------------------------------

export async function call(caller: Agent, callee: Agent, options: CallOptions = {}): Promise<Call> {
  const { offer = phoneOffer(caller.name), answer = phoneAnswer(callee.name), to = callee.aor, callId } = options;
  const named = callId === undefined ? {} : { callId };
  const invite = caller.request('INVITE', to, { body: offer, contentType: sdpType, ...named });
  const received = await callee.receivesRequest('INVITE');
  callee.respond(received, 180);
  await caller.receivesResponse(180);
  const ok = callee.respond(received, 200, { body: answer, contentType: sdpType });
  const answered = await caller.receivesResponse(200);
  caller.ack(invite, answered);
  await callee.receivesRequest('ACK');
  return {
    invite,
    received,
    answered,
    caller: caller.dialog(invite, answered),
    callee: callee.dialog(received, ok),
  };
}

export async function hangUp(by: Agent, dialog: AgentDialog, other: Agent): Promise<void> {
  by.within(dialog, 'BYE');
  other.respond(await other.receivesRequest('BYE'), 200);
  await by.receivesResponse(200, 'BYE');
}

// --- what is left ----------------------------------------------------------------------------------------------------

interface Remains {
  readonly engine: Engine;
  readonly media: MediaRelayFake;
  readonly log: readonly LogEntry[];
}

export async function nothingIsLeft({ engine, media, log }: Remains): Promise<void> {
  assert.deepEqual(media.calls(), [], 'media sessions are left (law 3)');
  assert.deepEqual(media.mistakes, [], 'rtpengine was told what destroys calls');
  const { transactions, calls } = await engine.operations.statistics();
  assert.deepEqual(transactions, { server: 0, client: 0 }, 'transactions are left');
  assert.equal(calls.inProgress, 0, 'calls are left');
  assert.deepEqual(
    log.filter(({ level }) => level === 'error'),
    [],
  );
}

// --- ports -----------------------------------------------------------------------------------------------------------

export interface Life {
  alive: boolean;
}

/** A dead process has no timers. */
export function mortalClock(clock: Clock, life: Life): Clock {
  return {
    nowMs: () => clock.nowMs(),
    after: (delayMs, action) =>
      clock.after(delayMs, () => {
        if (life.alive) action();
      }),
  };
}

/** A port whose answers reach nobody after the death of the process that asked. */
export function mortal<T extends object>(port: T, life: Life): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]): unknown => whileAlive(Reflect.apply(member, target, args), life);
    },
  });
}

function whileAlive(result: unknown, life: Life): unknown {
  if (!(result instanceof Promise)) return result;
  return new Promise((resolve, reject) => {
    result.then(
      (value) => life.alive && resolve(value),
      (reason) => life.alive && reject(reason),
    );
  });
}

export function recorder(entries: LogEntry[]): Log {
  const write =
    (level: LogEntry['level']) =>
    (fields: object, text: string): void => {
      entries.push({ level, fields, text });
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
