/**
 * The tests that talk to a real rtpengine, once with each that Viaduct is tried with; run.ts starts it. The rtpengine of a
 * round comes first on the PATH of its tests. What passed stands at the end, file by file and version by version; exit 1
 * if anything failed.
 */
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { type Release, releaseOf, suites } from '../support/rtpengine-releases.ts';

/** Of one round, in this order; a browser and its telephone want the machine for themselves. */
const together = [
  'test/media/golden.test.ts',
  ...['child', 'ng-client', 'real', 'relay'].map((name) => `test/adapters/rtpengine/${name}.test.ts`),
  ...['calls', 'ipv6', 'leftovers', 'media-control', 'media-watch', 'softphones', 'story'].map(
    (name) => `test/e2e/${name}.test.ts`,
  ),
];
const alone = ['calls', 'explain', 'osrtp'].map((name) => `test/browser/${name}.test.ts`);
/** With several versions at once; and that nothing outlives a run. */
const mixed = ['mixed', 'room'].map((name) => `test/versions/${name}.test.ts`);

interface Round {
  readonly name: string;
  readonly passed: number;
  readonly failed: readonly string[];
  /** What the reporter says of each file, in a line. */
  readonly files: readonly string[];
}

const given = process.argv.slice(2);
const chosen = given.flatMap((argument) => /^--suite=(.+)$/.exec(argument)?.[1] ?? []);
const options = given.filter((argument) => argument.startsWith('-') && !argument.startsWith('--suite='));
const files = given.filter((argument) => !argument.startsWith('-'));

const rounds: Round[] = [];
const releases: Release[] = [];
for (const suite of suites) {
  if (chosen.length > 0 && !chosen.includes(suite)) continue;
  releases.push(await releaseOf(suite, console.log));
}
for (const release of releases) rounds.push(await round(release));
if (files.length === 0 && chosen.length === 0) rounds.push(await tests('several versions at once', mixed, 1, []));
for (const { name, passed, failed, files: lines } of rounds) {
  console.log(`${failed.length === 0 ? '✔' : '✖'} ${name}: ${passed} passed, ${failed.length} failed`);
  for (const one of [...lines, ...failed]) console.log(`    ${one}`);
}
const failed = rounds.reduce((sum, one) => sum + one.failed.length, 0);
console.log(`\n${rounds.reduce((sum, one) => sum + one.passed, 0)} passed, ${failed} failed`);
process.exitCode = failed > 0 || rounds.some(({ passed }) => passed === 0) ? 1 : 0;

async function round({ suite, version, folder }: Release): Promise<Round> {
  const name = `rtpengine ${version} (Debian ${suite})`;
  console.log(`\n=== ${name}`);
  const first = folder === undefined ? [] : [folder];
  if (files.length > 0) return tests(name, files, 1, first);
  const [some, others] = [await tests(name, together, 2, first), await tests(name, alone, 1, first)];
  const passed = some.passed + others.passed;
  return { name, passed, failed: [...some.failed, ...others.failed], files: [...some.files, ...others.files] };
}

/** Their output goes on as it comes, and is read for what passed. */
function tests(name: string, paths: readonly string[], atOnce: number, first: readonly string[]): Promise<Round> {
  const PATH = [...first, process.env.PATH ?? ''].join(delimiter);
  const runner = spawn(process.execPath, [...options, `--test-concurrency=${atOnce}`, ...paths], {
    env: { ...process.env, PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  runner.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  return new Promise((resolve, reject) => {
    runner.once('error', reject);
    runner.once('close', (code) => resolve({ name, ...read(output, code) }));
  });
}

/** As tools/reporter.mjs writes it. */
function read(output: string, code: number | null): Omit<Round, 'name'> {
  const passed = Number(/^# pass (\d+)/m.exec(output)?.[1] ?? 0);
  const failed = [...output.matchAll(/^ {2}✖ (.+)$/gm)].flatMap(([, title]) => title ?? []);
  const files = [...output.matchAll(/^[✔✖] test\/\S+\.test\.ts: .+$/gm)].map(([line]) => line);
  return { passed, failed: code !== 0 && failed.length === 0 ? [`the test runner ended with ${code}`] : failed, files };
}
