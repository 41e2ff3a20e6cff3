/**
 * Reload while calls go on: at SIGHUP, by `POST /api/v1/reload` and by `npx viaduct reload`. Reads the settings again,
 * tls.cfg and the files that it names, and `routes/`. Everything is read and checked before anything is taken into use:
 * a mistake anywhere changes nothing, and its reason is logged and returned.
 *
 * What can change: TLS_CFG, DOMAINS, RTPENGINE, TRUSTED, LOG_LEVEL, the routes. Other settings are named: they wait for a restart.
 */
import type { TlsSource } from '../adapters/network/tls-source.ts';
import type { NodeAddress } from '../adapters/rtpengine/node-address.ts';
import { changedSettings, type Settings } from '../config.ts';
import type { ReloadReport } from '../engine/operations.ts';
import { failureOf } from '../errors.ts';
import type { Log } from '../ports.ts';
import type { RoutesSource } from './routes-source.ts';

export interface ReloadParts {
  readonly settings: Settings;
  readonly tls: TlsSource;
  /** All of these only read, and throw a `Failure` about what is wrong. */
  readSettings(): Settings;
  domainsOf(settings: Settings): readonly string[];
  tlsOf(settings: Settings, domains: readonly string[]): Promise<TlsSource>;
  nodesOf(settings: Settings): readonly NodeAddress[] | undefined;
  readonly routes: Pick<RoutesSource, 'fresh'>;
  /** Throws, and changes nothing, when a section of tls.cfg has no listener. */
  replaceTls(tls: TlsSource): void;
  replaceDomains(domains: readonly string[]): void;
  replaceNodes(nodes: readonly NodeAddress[]): void;
  replaceTrusted(networks: readonly string[]): void;
  replaceLogLevel(level: Settings['logLevel']): void;
  /** Those that hold from now on: what waits for a restart is in them as it was. */
  replaceSettings(settings: Settings): void;
  readonly log: Log;
}

export type Reload = () => Promise<ReloadReport>;

export function createReload(parts: ReloadParts): Reload {
  let running: Promise<unknown> = Promise.resolve();
  let { settings, tls } = parts;

  async function once(): Promise<ReloadReport> {
    const wanted = parts.readSettings();
    const domains = parts.domainsOf(wanted);
    const nodes = parts.nodesOf(wanted);
    const newTls = await parts.tlsOf(wanted, domains);
    const newRoutes = await parts.routes.fresh();
    const names = changedSettings(settings, wanted);
    // A child of ours is started or ended by a start only.
    const sameOwner = (settings.rtpengine === undefined) === (nodes === undefined);
    const now = (name: string): boolean => reloadable.has(name) && (name !== 'RTPENGINE' || sameOwner);
    const report: ReloadReport = {
      changed: [
        ...names.filter(now).map((name) => `${name} has changed`),
        ...newTls.identities.filter((line) => !tls.identities.includes(line)).map((line) => `TLS ${line}`),
        ...(newRoutes === undefined ? [] : [`routes: ${newRoutes.files.join(', ')}`]),
      ],
      needsRestart: names.filter((name) => !now(name)),
    };
    // The only step that may refuse stands first.
    parts.replaceTls(newTls);
    parts.replaceDomains(domains);
    // Nodes and the log level can be changed over REST as well: a reload that is about something else leaves them.
    if (nodes !== undefined && names.includes('RTPENGINE') && sameOwner) parts.replaceNodes(nodes);
    if (names.includes('LOG_LEVEL')) parts.replaceLogLevel(wanted.logLevel);
    parts.replaceTrusted(wanted.trusted);
    newRoutes?.use();
    settings = inUse(settings, wanted, sameOwner);
    parts.replaceSettings(settings);
    tls = newTls;
    return report;
  }

  async function told(): Promise<ReloadReport> {
    try {
      const report = await once();
      const nothing = report.changed.length === 0 && report.needsRestart.length === 0;
      parts.log.info(report, nothing ? 'Reloaded: nothing has changed' : 'Reloaded');
      return report;
    } catch (thrown) {
      const failure = failureOf(thrown);
      parts.log.error(
        { code: failure.code, next: failure.row.nextStep },
        `Not reloaded, all stays: ${failure.message}`,
      );
      throw failure;
    }
  }

  return () => {
    const mine = running.then(told);
    running = mine.catch(() => undefined);
    return mine;
  };
}

const reloadable: ReadonlySet<string> = new Set(['TLS_CFG', 'DOMAINS', 'RTPENGINE', 'TRUSTED', 'LOG_LEVEL']);

/** What waits for a restart stays as it was: the next reload names it again. */
function inUse(before: Settings, wanted: Settings, sameOwner: boolean): Settings {
  const { tlsCfg, domains, trusted, logLevel } = wanted;
  return { ...before, tlsCfg, domains, trusted, logLevel, rtpengine: sameOwner ? wanted.rtpengine : before.rtpengine };
}
