/**
 * The database and the rtpengine nodes: those that the settings name, else children of ours.
 */
import { createResolver } from '../adapters/dns/resolver.ts';
import { type Database, openDatabase } from '../adapters/postgres/database.ts';
import { startEmbedded } from '../adapters/postgres/embedded.ts';
import { findRtpengine, startRtpengine } from '../adapters/rtpengine/child.ts';
import { type NodeAddress, parseNodeAddress } from '../adapters/rtpengine/node-address.ts';
import { type OpenMediaRelay, openMediaRelay } from '../adapters/rtpengine/relay.ts';
import { systemClock } from '../adapters/system.ts';
import { advertisedHosts } from '../config/served-domains.ts';
import type { Settings } from '../config.ts';
import { Failure } from '../errors.ts';
import type { Log, Random } from '../ports.ts';
import { loadAddedNodes } from './added-nodes.ts';
import { makeFolder } from './data-dir.ts';
import type { Shutdown } from './shutdown.ts';

export interface Backends {
  readonly database: Database;
  /** For people: `PostgreSQL 15.18 in ./data`. */
  readonly databaseName: string;
  readonly media: OpenMediaRelay;
  readonly mediaNodes: readonly NodeAddress[];
  /** Process numbers of the children. */
  readonly children: { readonly postgres?: number; readonly rtpengine?: number };
}

/** Both at once: the start waits for the slower one. */
export async function openBackends(
  settings: Settings,
  random: Random,
  log: Log,
  shutdown: Shutdown,
): Promise<Backends> {
  const [database, media] = await Promise.all([
    openStore(settings, log, shutdown),
    openMedia(settings, random, log, shutdown),
  ]);
  await loadAddedNodes(media.media, database.database.addedNodes, log);
  return { ...database, ...media, children: { ...database.pid, ...media.pid } };
}

async function openStore(settings: Settings, log: Log, shutdown: Shutdown) {
  const { databaseUrl, dataDir, groupMs } = settings;
  const options = { log, groupMs, clock: systemClock, recordDays: settings.callRecordDays };
  if (databaseUrl !== undefined) {
    const database = await openDatabase({ ...options, connection: { url: databaseUrl } });
    shutdown.add('the database connections', () => database.close());
    return { database, databaseName: `PostgreSQL at ${withoutPassword(databaseUrl)}`, pid: {} };
  }
  const server = await startEmbedded({ dataDir, log });
  shutdown.add('PostgreSQL', () => server.stop());
  const database = await openDatabase({ ...options, connection: server.connection });
  shutdown.add('the database connections', () => database.close());
  return { database, databaseName: `PostgreSQL ${server.version} in ${dataDir}`, pid: { postgres: server.pid() } };
}

async function openMedia(settings: Settings, random: Random, log: Log, shutdown: Shutdown) {
  const { nodes, pid } = await mediaNodes(settings, random, log, shutdown);
  const media = openMediaRelay({ nodes, clock: systemClock, random, log });
  shutdown.add('the rtpengine control', () => media.shutdown());
  await media.ready;
  return { media, mediaNodes: nodes, pid };
}

async function mediaNodes(settings: Settings, random: Random, log: Log, shutdown: Shutdown) {
  const named = namedNodes(settings);
  if (named !== undefined) return { nodes: named, pid: {} };
  if (findRtpengine() === undefined) {
    log.warn(
      {},
      'rtpengine is not installed: calls that need media are refused. Run: apt-get install rtpengine-daemon',
    );
    return { nodes: [], pid: {} };
  }
  const { dataDir, mediaAddress, recordingDir, listen } = settings;
  if (recordingDir !== undefined) openRecordingDir(recordingDir);
  const child = await startRtpengine({
    dataDir,
    clock: systemClock,
    random,
    log,
    mediaAddress: inOneText(mediaAddress),
    advertised: await publicAddresses(settings),
    bound: listen.map(({ host }) => host),
    recordingDir,
  });
  shutdown.add('rtpengine', () => child.stop());
  return { nodes: [child.node], pid: { rtpengine: child.pid() } };
}

/** A name that has no address now leaves its calls to the address of this host, and the doctor says that it has none. */
async function publicAddresses(settings: Settings): Promise<readonly string[]> {
  const resolver = createResolver();
  const found = advertisedHosts(settings).map((host) => resolver.addresses(host).catch(() => []));
  return (await Promise.all(found)).flat();
}

function openRecordingDir(dir: string): void {
  try {
    makeFolder(dir);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Failure('setting-invalid', `RECORDING_DIR="${dir}" cannot be made: ${why}`);
  }
}

/** Those of RTPENGINE; `undefined`: a child of ours. */
export function namedNodes({ rtpengine }: Pick<Settings, 'rtpengine'>): readonly NodeAddress[] | undefined {
  return rtpengine?.map(({ address, weight }) => parsedNode(address, weight));
}

function parsedNode(address: string, weight: number): NodeAddress {
  const node = parseNodeAddress(`${address}=${weight}`);
  if (node === undefined) throw new Failure('setting-invalid', `RTPENGINE: ${address}`);
  return node;
}

function inOneText(address: Settings['mediaAddress']): string | undefined {
  if (address === undefined) return undefined;
  return address.advertised === undefined ? address.local : `${address.local}!${address.advertised}`;
}

function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/)([^@/]*@)?/, '').replace(/\?.*$/, '');
}
