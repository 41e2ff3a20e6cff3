/**
 * `npm run bench`: what an operation costs, Viaduct and Kamailio in turn (bench/README.md).
 *
 *     npm run bench
 *     npm run bench -- --only call-webrtc --runs 3 --seconds 10
 *     npm run bench -- --peer viaduct --json
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Suite } from '../test/support/suite.ts';
import { type Backends, startBackends } from './backends.ts';
import { type Case, cases, type Stored } from './cases.ts';
import { countsOf, perOperation } from './counts.ts';
import { cpuSeconds, machineTime, memoryMiB, stealPercent } from './cpu.ts';
import { callees, load, type Outcome, startAnswering } from './load.ts';
import { kamailio } from './peers/kamailio.ts';
import type { Peer, RunningPeer } from './peers/peer.ts';
import { viaduct } from './peers/viaduct.ts';
import { fill, watchersOfEach } from './stored.ts';
import { createBenchSuite } from './suite.ts';
import { type Measured, tableOf } from './table.ts';
import { startWatchers, type Watchers } from './watchers.ts';

/** Longer than the pace of presence, so that each change is a NOTIFY of its own. */
const publishedMs = 10_000;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    peer: { type: 'string' },
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '30' },
    // Longer than transactions live, so that memory is full, and the code that runs often is compiled.
    'warm-up': { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
});
const [runs, seconds, warmUp] = [Number(values.runs), Number(values.seconds), Number(values['warm-up'])];
const chosen = cases.filter(({ name, stored }) => {
  return values.only === name || (stored === undefined ? values.only === undefined : values.only === 'growth');
});
const peers = [viaduct, kamailio].filter(({ name }) => values.peer === undefined || values.peer === name);

if (chosen.length === 0 || peers.length === 0 || !(runs > 0 && seconds > 0 && warmUp > 0)) {
  const names = cases.map(({ name, what }) => `  ${name.padEnd(22)} ${what}`).join('\n');
  say('usage: npm run bench -- [--only CASE|growth] [--peer viaduct|kamailio] [--runs 5] [--seconds 30] [--json]');
  say(`Cases:\n${names}`);
  process.exit(2);
}

const measured: Measured[] = [];
for (const one of chosen.filter(({ stored }) => stored === undefined)) {
  say(`${one.name}: ${one.what}, ${one.rate}/s`);
  for (let run = 1; run <= runs; run += 1) {
    for (const peer of peers.filter(isThere)) measured.push(await measure(one, peer, run));
  }
}
const overStored = peers.includes(viaduct) ? chosen.filter(({ stored }) => stored !== undefined) : [];
for (let run = 1; run <= runs && overStored.length > 0; run += 1)
  measured.push(...(await measureStored(overStored, run)));
const results = { date: new Date().toISOString(), node: process.version, runs, seconds, warmUp, measured };
const file = join(import.meta.dirname, 'results', `${results.date.slice(0, 19).replaceAll(':', '')}.json`);
mkdirSync(join(file, '..'), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, undefined, 1)}\n`);
process.stdout.write(values.json ? `${JSON.stringify(results)}\n` : `\n${tableOf(chosen, measured)}\n`);
say(`kept in ${file}`);

function isThere(peer: Peer): boolean {
  const why = peer.missing();
  if (why !== undefined && measured.length === 0) say(`  ${peer.name} is left out: ${why}`);
  return why === undefined;
}

async function measure(one: Case, peer: Peer, run: number): Promise<Measured> {
  const suite = createBenchSuite();
  try {
    const backends = await startBackends(suite, one);
    const answerPort = await startAnswering(suite);
    const proxy = await peer.start(suite, backends, one);
    const base = { proxyPort: proxy.port, answerPort };
    const users = one.scenario === 'register' ? one.rate * warmUp : callees;
    if (one.scenario !== 'register') {
      await load(suite, { ...base, scenario: 'register', rate: 250, seconds: callees / 250, users });
    }
    const same = { ...base, scenario: one.scenario, rate: one.rate, users };
    await load(suite, { ...same, seconds: warmUp });
    const result = await metered(backends, proxy, () => load(suite, { ...same, seconds }));
    const row = { case: one.name, peer: peer.name, run, ...result };
    say(`  ${peer.name} ${run}: ${JSON.stringify(result)}`);
    return row;
  } finally {
    await suite.end();
  }
}

/** Over databases that are filled already, all of them at once: what is compared takes turns within a minute. */
async function measureStored(some: readonly Case[], run: number): Promise<readonly Measured[]> {
  const suite = createBenchSuite();
  const rows: Measured[] = [];
  try {
    const sides = new Map<Stored, Side>();
    for (const { stored } of some) {
      if (stored !== undefined && !sides.has(stored)) sides.set(stored, await startSide(suite, stored));
    }
    for (const one of some) {
      const side = one.stored && sides.get(one.stored);
      if (side === undefined) continue;
      const row = { case: one.name, peer: viaduct.name, run, ...(await measureSide(suite, side, one)) };
      say(`  ${JSON.stringify(row)}`);
      rows.push(row);
    }
    return rows;
  } finally {
    await suite.end();
  }
}

/** A proxy with its database, and whom it tells. */
interface Side {
  readonly stored: Stored;
  readonly backends: Backends;
  readonly answerPort: number;
  readonly watchers: Watchers;
  readonly proxy: RunningPeer;
  readonly startMiB: number;
}

async function startSide(suite: Suite, stored: Stored): Promise<Side> {
  const backends = await startBackends(suite, { sharedBuffers: '1GB' });
  const [answerPort, watchers] = [await startAnswering(suite), await startWatchers(suite)];
  const parties = { answerPort, watcherPort: watchers.port };
  const proxy = await viaduct.start(suite, backends, { media: false }, (at) => fill(at, stored, parties));
  const startMiB = Number(memoryMiB(proxy.pid).toFixed(1));
  await watchers.quiet();
  return { stored, backends, answerPort, watchers, proxy, startMiB };
}

async function measureSide(
  suite: Suite,
  { stored, backends, answerPort, watchers, proxy, startMiB }: Side,
  { scenario, rate }: Case,
): Promise<Omit<Measured, 'case' | 'peer' | 'run'>> {
  const isPublish = scenario === 'publish';
  const users = isPublish ? stored.subscriptions / watchersOfEach : stored.bindings;
  const holdMs = isPublish ? publishedMs : 0;
  const same = { proxyPort: proxy.port, answerPort, scenario, rate, users, holdMs };
  await load(suite, { ...same, seconds: warmUp, leapsBehind: 0 });
  if (isPublish) await watchers.quiet();
  const before = watchers.told();
  const result = await metered(backends, proxy, async () => {
    const outcome = await load(suite, { ...same, seconds, leapsBehind: rate * warmUp });
    return isPublish ? { ...outcome, told: watchers.told() - before } : outcome;
  });
  return { ...result, startMs: proxy.startMs ?? 0, startMiB };
}

async function metered(
  { pids, directUrl }: Backends,
  proxy: RunningPeer,
  work: () => Promise<Outcome & { readonly told?: number }>,
): Promise<Omit<Measured, 'case' | 'peer' | 'run'>> {
  const roots = { proxy: proxy.pid, rtpengine: pids.rtpengine, postgres: pids.postgres };
  const used = (): readonly number[] => Object.values(roots).map(cpuSeconds);
  const countsBefore = await countsOf(directUrl('postgres'));
  const [machine, before] = [machineTime(), used()];
  const outcome = await work();
  const [after, steal] = [used(), stealPercent(machine, machineTime())];
  const operations = outcome.told ?? outcome.successful;
  const counts = perOperation(countsBefore, await countsOf(directUrl('postgres')), operations);
  const cpuMs = after.map((seconds, at) => {
    return Number(((1_000 * (seconds - (before[at] ?? 0))) / Math.max(1, operations)).toFixed(4));
  });
  const [proxyMs = 0, rtpengineMs = 0, postgresMs = 0] = cpuMs;
  const memory = Number(memoryMiB(proxy.pid).toFixed(1));
  return {
    ...outcome,
    proxyMs,
    rtpengineMs,
    postgresMs,
    counts,
    memoryMiB: memory,
    stealPercent: Number(steal.toFixed(1)),
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
