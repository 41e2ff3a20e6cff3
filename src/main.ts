/**
 * The composition root: settings → adapters → engine ← routes. The only file that knows everything; it decides nothing.
 *
 * `npm start` runs it. What it starts it stops, in the opposite order, also when a later step fails.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiRoutes } from '../routes/http/api.ts';
import { routes } from '../routes/routes.ts';
import { createResolver } from './adapters/dns/resolver.ts';
import { loadPages } from './adapters/http/built-pages.ts';
import { createHttp, type HttpAddress, listenHttp } from './adapters/http/server.ts';
import { createLog } from './adapters/log.ts';
import { localAddresses } from './adapters/network/addresses.ts';
import { type Capture, openCapture } from './adapters/network/hep-capture.ts';
import { type OpenNetwork, openNetwork } from './adapters/network/network.ts';
import type { TlsSource } from './adapters/network/tls-source.ts';
import { type ProcessMetrics, watchProcess } from './adapters/process-metrics.ts';
import { createLoad, createRandom, systemClock } from './adapters/system.ts';
import { servedDomains } from './config/served-domains.ts';
import { misspeltSettings, readSettings, type Settings } from './config.ts';
import { type Checked, doctor, logFindings } from './doctor/doctor.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import type { Finding } from './engine/operations.ts';
import { failureOf } from './errors.ts';
import type { LevelledLog, Log, NetworkEvents, PushService, Random } from './ports.ts';
import { defaultLimits } from './registrar/register.ts';
import { type KeptNodes, keptNodes } from './start/added-nodes.ts';
import { type Backends, namedNodes, openBackends } from './start/backends.ts';
import { banner, notStarted } from './start/banner.ts';
import { watchCertificates } from './start/certificate-watch.ts';
import { openDataDir } from './start/data-dir.ts';
import { createDemoUsers, demoUsers } from './start/demo-users.ts';
import { startDrain } from './start/drain.ts';
import { type Identity, loadIdentity } from './start/identity.ts';
import { phoneSettings } from './start/phone-settings.ts';
import { openPush } from './start/push.ts';
import { createReload, type Reload } from './start/reload.ts';
import { createRoutesSource, type RoutesSource } from './start/routes-source.ts';
import { refuseSecond, removeRunFile, writeRunFile } from './start/run-file.ts';
import { Shutdown } from './start/shutdown.ts';
import { certificateFiles, tlsSource } from './start/tls.ts';
import { type OpenTokens, openTokens } from './start/tokens.ts';
import { trustedNetworks } from './start/trusted.ts';
import { withoutCredentials } from './story/credentials.ts';

const doctorMs = 2_000;

async function start(settings: Settings, log: LevelledLog, shutdown: Shutdown): Promise<void> {
  const { dataDir } = settings;
  openDataDir(dataDir, settings.databaseUrl === undefined && !existsSync(join(dataDir, 'postgres')));
  const identity = loadIdentity(dataDir, settings.tokenSecrets);
  refuseSecond(dataDir);
  const random = createRandom();
  const domains = servedDomains(settings, localAddresses);
  const [domain = ''] = domains;
  const [backends, pages, tls, tokens] = await Promise.all([
    openBackends(settings, random, log, shutdown),
    loadPages(),
    tlsSource(settings, domains, log),
    openTokens(settings, log, shutdown),
  ]);
  const demo = demoUsers(settings);
  await createDemoUsers(demo, domain, backends.database.subscribers, settings.demoUsers !== undefined);

  // The network needs somebody to call, the engine needs the network: whoever comes first waits for the other.
  let engine: Engine | undefined;
  let serve: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  const events: NetworkEvents = {
    message: (text, flow) => engine?.message(text, flow),
    closed: (flow, reason) => engine?.closed(flow, reason),
  };
  const httpHandler: RequestListener = (request, response) => serve?.(request, response);
  const { listen, advertise, origins } = settings;
  const admits = (address: string): boolean => engine?.admits(address, 'connection') ?? true;
  const capture = homer(settings, identity, log, shutdown);
  const limits = { pingMs: settings.wsPingSeconds * 1000 };
  const network = await openNetwork(
    {
      listen,
      advertise,
      tls,
      boot: identity.boot,
      httpHandler,
      admits,
      origins,
      passed: capture && ((...copy) => capture.passed(...copy)),
      limits,
      log,
    },
    events,
  );
  shutdown.add('the network', () => network.shutdown());
  const isTrusted = trustedNetworks(settings.trusted);
  const current = { routes: createRoutesSource(routes), isTrusted, domains, settings, tls };
  const push = openPush(settings, domain, log, shutdown);
  const ofProcess = watchProcess();
  const processMetrics = { read: () => [...ofProcess.read(), ...(capture?.read() ?? [])] };
  const given = { settings, identity, domains, current, tls };
  const rtpengine = keptNodes(backends.media, backends.database.addedNodes, {
    tell: () => engine?.mediaNodesChanged(),
    callsOn: (id) => engine?.operations.callsOnNode(id) ?? 0,
    clock: systemClock,
    log,
  });
  shutdown.add('the rtpengine nodes', () => rtpengine.stop());
  const parts = { ...given, backends, rtpengine, network, push, tokens, random, processMetrics, log };
  const running = openEngine(parts);
  engine = running;
  await engine.start();
  shutdown.add('the engine', () => engine?.stop());
  // An rtpengine of our own stops with us, and the media of its calls with it.
  shutdown.add('the calls', () => running.endCalls(backends.children.rtpengine !== undefined));
  const draining = { engine: running, deadlineMs: settings.drainSeconds * 1000, clock: systemClock, log };
  shutdown.drainBy(() => startDrain(draining));
  const reload = openReload(parts, running);
  const examine = (): Promise<readonly Finding[]> => doctor(examined(parts, running));

  const app = await createHttp({
    api: apiRoutes(engine.operations, {
      reload,
      doctor: examine,
      log,
      rtpengine,
    }),
    apiToken: settings.apiToken,
    admits: (address) => running.admits(address, 'request'),
    answered: (status) => running.answeredHttp(status),
    allowedHosts: () => current.domains,
    pages,
    phone: phoneSettings(network.listeners, () => current.domains[0] ?? '', demo, push?.vapidKey),
    log,
  });
  serve = (request, response) => app.routing(request, response);
  shutdown.add('the pages', () => app.close());
  const http = await listenHttp(app, settings.http);

  reloadOnSignal(reload);
  shutdown.add('the look at the certificates', openCertificateWatch(parts));
  writeRun(dataDir, http, network, backends);
  shutdown.add('run.json', () => removeRunFile(dataDir));
  const { databaseName: database, mediaNodes } = backends;
  const addresses = mediaNodes.map(({ address }) => address);
  const { listeners } = network;
  // A password that somebody chose is not printed back.
  const shown = settings.demoUsers === undefined ? demo : demo.map(({ username }) => ({ username, password: '***' }));
  const look = examine().catch((thrown: unknown) => void log.debug({ error: String(thrown) }, 'The doctor failed'));
  // Names that nobody answers for take long: nobody waits for that.
  const findings = await Promise.race([look, delay(doctorMs, undefined, { ref: false })]);
  process.stdout.write(
    banner({ version, http, listeners, domain, demo: shown, database, rtpengine: addresses, findings }),
  );
  look.then((found) => found && logFindings(log, found));
}

function examined({ settings, network, current, backends, tokens, random, identity }: Parts, engine: Engine): Checked {
  const { listeners } = network;
  const { database, media } = backends;
  const local = [...localAddresses('0.0.0.0'), ...localAddresses('::')];
  const own = { local, resolver: createResolver(), nowMs: () => systemClock.nowMs(), mark: identity.node };
  const said = { nodes: engine.operations.nodes(), misspelt: misspeltSettings(process.env) };
  const recording = {
    recordingDir: settings.recordingDir,
    recordsAll: settings.recordCalls === 'all',
    ownRtpengine: backends.children.rtpengine !== undefined,
  };
  return {
    listeners,
    dataDir: settings.dataDir,
    domains: current.domains,
    certificateFiles: certificateFiles(current),
    database,
    media,
    tokens,
    random,
    ...said,
    ...recording,
    ...own,
  };
}

interface Parts {
  readonly settings: Settings;
  readonly identity: Identity;
  readonly domains: readonly string[];
  readonly backends: Backends;
  readonly rtpengine: KeptNodes;
  readonly network: OpenNetwork;
  readonly push: PushService | undefined;
  readonly tokens: OpenTokens | undefined;
  readonly random: Random;
  /** What a reload changes. */
  readonly current: {
    readonly routes: RoutesSource;
    isTrusted: (address: string) => boolean;
    domains: readonly string[];
    settings: Settings;
    tls: TlsSource;
  };
  readonly tls: TlsSource;
  readonly processMetrics: Pick<ProcessMetrics, 'read'>;
  readonly log: LevelledLog;
}

function openEngine(parts: Parts): Engine {
  const { settings, identity, domains, backends, network, push, tokens, random, current, processMetrics, log } = parts;
  const { database, media } = backends;
  const { subscribers, aliases, sessions, location, dialogs, outbox } = database;
  const { failedCalls, callRecords, presence, messages, nodes, changes } = database;
  const stores = {
    ...{ subscribers, aliases, sessions, location, dialogs, outbox },
    ...{ failedCalls, callRecords, presence, messages, nodes, changes },
  };
  const system = {
    clock: systemClock,
    random,
    network,
    resolver: createResolver(),
    load: createLoad(),
    processMetrics,
  };
  const ports = { ...stores, ...system, media, addedNodes: parts.rtpengine, database, push, tokens, log };
  return createEngine(ports, current.routes.routes, {
    ...identity,
    nodeAddress: settings.nodeAddress,
    domains,
    isTrusted: (address) => current.isTrusted(address),
    protection: {
      banMs: settings.banSeconds * 1000,
      messagesPerSecond: settings.messagesPerSecond,
      connectionsPerSecond: settings.connectionsPerSecond,
      requestsPerSecond: settings.httpPerSecond,
      dropScanners: settings.dropScanners,
    },
    acceptForeign: settings.acceptForeign,
    graceMs: settings.graceSeconds * 1000,
    maxCalls: settings.maxCalls,
    tryingMs: settings.tryingSeconds * 1000,
    timerCMs: settings.timerCSeconds * 1000,
    registrar: {
      ...defaultLimits,
      maxSeconds: settings.maxExpires.seconds,
      maxSecondsBy: settings.maxExpires.byTransport,
      maxContacts: settings.maxContacts,
      whenFull: settings.whenContactsFull,
      pushSeconds: settings.pushDays * daySeconds,
    },
    pushMs: settings.pushSeconds * 1000,
    keepAliveMs: settings.udpPingSeconds * 1000,
    mediaIdleMs: settings.mediaIdleSeconds * 1000,
    canRecord: settings.recordingDir !== undefined,
    recordsAll: settings.recordCalls === 'all',
    keepsCalls: settings.callRecordDays > 0,
    presence: settings.presence,
    version,
  });
}

function openReload({ settings, backends, network, current, tls, log }: Parts, engine: Engine): Reload {
  return createReload({
    settings,
    tls,
    readSettings: () => readSettings(process.env),
    domainsOf: (wanted) => servedDomains(wanted, localAddresses),
    tlsOf: (wanted, domains) => tlsSource(wanted, domains, log),
    nodesOf: namedNodes,
    routes: current.routes,
    replaceTls: (source) => {
      network.replaceTls(source);
      current.tls = source;
    },
    replaceDomains: (domains) => {
      current.domains = domains;
      engine.replaceDomains(domains);
    },
    replaceNodes: (nodes) => backends.media.replaceNodes(nodes),
    replaceLogLevel: (level) => {
      log.level = level;
    },
    replaceSettings: (inUse) => {
      current.settings = inUse;
    },
    replaceTrusted: (networks) => {
      current.isTrusted = trustedNetworks(networks);
    },
    log,
  });
}

/** Where every message is told to, if HEP says so. */
function homer({ hep: collector }: Settings, { node }: Identity, log: Log, shutdown: Shutdown): Capture | undefined {
  if (collector === undefined) return undefined;
  const agentId = Number.parseInt(node.slice(1), 16) || 0;
  const capture = openCapture({ collector, agentId, clean: withoutCredentials, clock: systemClock, log });
  shutdown.add('the copies for Homer', () => capture.close());
  return capture;
}

function openCertificateWatch({ current, network, log }: Parts): () => void {
  return watchCertificates({
    clock: systemClock,
    read: () => tlsSource(current.settings, current.domains, log),
    use: (source) => {
      if (current.settings.tlsCfg === undefined) network.replaceTls(source);
    },
    log,
  });
}

function writeRun(dataDir: string, http: HttpAddress, network: OpenNetwork, { children }: Backends): void {
  const listeners = network.listeners.map(({ entry, transport, local }) => ({ entry, transport, ...local }));
  writeRunFile(dataDir, { http, listeners, children });
}

const daySeconds = 86_400;

const version = packageVersion();

function packageVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}

/**
 * Ctrl-C once lets the calls end and stops in order, twice does not wait for calls; a third time ends this process at
 * once, and the children stay for the next start to adopt.
 */
function stopOnSignal(shutdown: Shutdown, log: Log): void {
  let asked = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (shutdown.hurry()) return;
    if (asked) process.exit(1);
    asked = true;
    log.info({ signal }, 'Viaduct stops');
    shutdown.run().then(() => {
      log.info({}, 'Viaduct has stopped');
      process.exit(0);
    });
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** A closed terminal is told to the bootstrap, which stops us by SIGTERM: SIGHUP means one thing here. */
function reloadOnSignal(reload: Reload): void {
  // The log has what went wrong.
  process.on('SIGHUP', () => void reload().catch(() => undefined));
}

/** A bug must not end the calls of everybody (DESIGN law 8): it is logged, and what it broke fails by itself. */
function surviveBugs(log: Log): void {
  const note = (thrown: unknown): void => {
    log.error(
      { stack: thrown instanceof Error ? thrown.stack : String(thrown) },
      'A fault of Viaduct; please report it',
    );
  };
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
}

async function main(): Promise<void> {
  let shutdown: Shutdown | undefined;
  try {
    const settings = readSettings(process.env);
    const log = createLog({ level: settings.logLevel, out: process.stderr });
    shutdown = new Shutdown(log);
    stopOnSignal(shutdown, log);
    await start(settings, log, shutdown);
    surviveBugs(log);
  } catch (thrown) {
    await shutdown?.run();
    const failure = failureOf(thrown);
    process.stderr.write(notStarted(failure));
    if (failure.code === 'internal' && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
    process.exit(1);
  }
}

await main();
