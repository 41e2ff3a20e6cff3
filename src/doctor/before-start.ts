/**
 * What the doctor can say while no Viaduct runs: settings, names, tls.cfg, the database and rtpengines that the settings
 * name. Left out: what Viaduct starts itself (embedded PostgreSQL, the rtpengine child), and sockets.
 */

import { createResolver } from '../adapters/dns/resolver.ts';
import { isLoopback, isWildcard, localAddresses } from '../adapters/network/addresses.ts';
import { loadTlsCfg } from '../adapters/network/tls-sections.ts';
import { probe } from '../adapters/postgres/pool.ts';
import { openMediaRelay } from '../adapters/rtpengine/relay.ts';
import { createRandom, systemClock } from '../adapters/system.ts';
import { servedDomains } from '../config/served-domains.ts';
import type { Settings } from '../config.ts';
import type { Finding } from '../engine/operations.ts';
import { errors, failureOf } from '../errors.ts';
import type { Listener, Log } from '../ports.ts';
import { namedNodes } from '../start/backends.ts';
import { clockFindings } from './database.ts';
import { finding, findingsOf } from './finding.ts';
import { ephemeralPorts, fileFindings } from './host.ts';
import { listenerFindings } from './listeners.ts';
import { nameFindings } from './names.ts';
import { recordingFindings } from './recording.ts';
import { type RelaysChecked, relayFindings } from './relays.ts';

export async function beforeStart(settings: Settings, log: Log): Promise<readonly Finding[]> {
  const listeners = settings.listen.flatMap((entry) => planned(settings, entry));
  const domains = servedDomains(settings, localAddresses);
  const local = [...localAddresses('0.0.0.0'), ...localAddresses('::')];
  const resolver = createResolver();
  const notice = `No Viaduct runs on ${settings.dataDir}; this is what the settings say.`;
  return findingsOf({
    viaduct: () => [finding('viaduct', 'notice', notice, 'npm start')],
    listeners: () => listenerFindings(listeners),
    dns: () => nameFindings({ domains, listeners, local, resolver }),
    tls: () => tlsCfgFindings(settings, log),
    database: () => databaseFindings(settings),
    rtpengine: () => relaysOf(settings, { listeners, local, resolver }, log),
    clock: () => clockFindings(systemClock.nowMs()),
    host: fileFindings,
  });
}

type Entry = Settings['listen'][number];

/** The listeners that an entry will make; a wildcard one for each address of this host. */
function planned({ advertise }: Settings, { text, transport, host, port, advertise: own }: Entry): readonly Listener[] {
  const addresses = isWildcard(host) ? localAddresses(host).filter((address) => !isLoopback(address)) : [host];
  return addresses.map((address, index) => {
    const advertised = { host: own?.host ?? advertise ?? address, port: own?.port ?? port };
    return { index, entry: text, transport, local: { address, port }, advertised };
  });
}

async function tlsCfgFindings({ tlsCfg }: Settings, log: Log): Promise<readonly Finding[]> {
  if (tlsCfg === undefined) return [];
  try {
    await loadTlsCfg(tlsCfg, systemClock.nowMs(), log);
    return [finding('tls', 'ok', `${tlsCfg} can be used.`, '')];
  } catch (thrown) {
    const { message, row } = failureOf(thrown);
    return [finding('tls', 'error', message, row.nextStep)];
  }
}

async function databaseFindings({ databaseUrl }: Settings): Promise<readonly Finding[]> {
  if (databaseUrl === undefined) return [];
  const wrong = await probe({ url: databaseUrl });
  const { meaning, nextStep } = errors['postgres-unreachable'];
  if (wrong === undefined) return [finding('database', 'ok', 'The database of DATABASE_URL answers.', '')];
  return [finding('database', 'error', `${meaning} ${wrong}`, nextStep)];
}

async function relaysOf(
  settings: Settings,
  host: Pick<RelaysChecked, 'listeners' | 'local' | 'resolver'>,
  log: Log,
): Promise<readonly Finding[]> {
  const named = namedNodes(settings);
  const random = createRandom();
  const media = openMediaRelay({ nodes: named ?? [], clock: systemClock, random, log });
  const { recordingDir, recordCalls } = settings;
  const recording = { recordingDir, recordsAll: recordCalls === 'all', ownRtpengine: named === undefined };
  const checked = { media, random, mark: 'doctor' };
  try {
    await media.ready;
    const found = await Promise.all([
      named === undefined ? [] : relayFindings({ ...checked, ...host, ephemeral: ephemeralPorts() }),
      recordingFindings({ ...checked, ...recording }),
    ]);
    return found.flat();
  } finally {
    await media.shutdown();
  }
}
