/**
 * Steady: calls at one rate for a while, with devices that register again and again, and what the process takes meanwhile:
 * memory, open files, delay of its event loop.
 *
 *     npm run soak -- --minutes 60 --rate 100 --registrations 20
 *
 * The first quarter is warm-up, and 20 minutes or more are needed: the stories of calls fill their bound before that. Fails
 * when memory grows by more than a tenth after it, files or delays beyond their bound.
 */
import { parseArgs } from 'node:util';
import { startBackends } from './backends.ts';
import { cases } from './cases.ts';
import { callees, load, startAnswering } from './load.ts';
import { viaduct } from './peers/viaduct.ts';
import { createBenchSuite } from './suite.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'call-webrtc' },
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '50' },
    // A second.
    registrations: { type: 'string', default: '20' },
  },
});
const one = cases.find(({ name }) => name === values.only);
if (one === undefined) throw new Error(`no such case: ${values.only}`);
const { scenario } = one;
const lookMs = 10_000;
/** Nobody gets half the peak in the first second of a process: code that is not compiled yet would turn calls away. */
const startsWith = { share: 1 / 4, seconds: 30 };
const mostGrowth = 1.1;
const mostDelaySeconds = 0.02;

interface Look {
  readonly memoryMiB: number;
  readonly heapMiB: number;
  readonly files: number;
  readonly delaySeconds: number;
}

const suite = createBenchSuite();
const looks: Look[] = [];
try {
  const backends = await startBackends(suite, one);
  const answerPort = await startAnswering(suite);
  const { port: proxyPort, metricsUrl } = await viaduct.start(suite, backends, one);
  if (metricsUrl === undefined) throw new Error('it has no metrics');
  const to = { proxyPort, answerPort, users: callees };
  await load(suite, { ...to, scenario: 'register', rate: 250, seconds: callees / 250 });
  const slowly = Math.ceil(Number(values.rate) * startsWith.share);
  await load(suite, { ...to, scenario, rate: slowly, seconds: startsWith.seconds });
  const timer = setInterval(() => void look(metricsUrl), lookMs);
  const seconds = 60 * Number(values.minutes);
  const [outcome, registered] = await Promise.all([
    load(suite, { ...to, scenario, rate: Number(values.rate), seconds }),
    load(suite, { ...to, scenario: 'register', rate: Number(values.registrations), seconds }),
  ]);
  clearInterval(timer);
  say(JSON.stringify({ calls: outcome, registrations: registered }));
  const failed = outcome.failed + registered.failed;
  const faults = judged(looks.slice(Math.ceil(looks.length / 4)));
  for (const fault of failed > 0 ? [`${failed} failed`, ...faults] : faults) {
    say(`not steady: ${fault}`);
    process.exitCode = 1;
  }
} finally {
  await suite.end();
}

async function look(url: string): Promise<void> {
  const text = await (await fetch(url)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  const now: Look = {
    memoryMiB: Math.round(value('process_resident_memory_bytes') / 1_048_576),
    heapMiB: Math.round(value('nodejs_heap_size_used_bytes') / 1_048_576),
    files: value('process_open_fds'),
    delaySeconds: value('nodejs_eventloop_lag_p99_seconds'),
  };
  looks.push(now);
  say(JSON.stringify(now));
}

function judged(steady: readonly Look[]): readonly string[] {
  const half = Math.floor(steady.length / 2);
  const most = (some: readonly Look[], of: keyof Look): number => Math.max(...some.map((one) => one[of]));
  const [early, late] = [steady.slice(0, half), steady.slice(half)];
  const delays = steady.map(({ delaySeconds }) => delaySeconds).sort((a, b) => a - b);
  const delay = delays[Math.floor(delays.length / 2)] ?? Number.NaN;
  return [
    ...(half === 0 ? ['it was too short to say'] : []),
    ...(most(late, 'memoryMiB') > mostGrowth * most(early, 'memoryMiB') ? ['memory grows'] : []),
    ...(most(late, 'files') > most(early, 'files') + 2 ? ['open files grow'] : []),
    ...(delay > mostDelaySeconds ? [`the event loop is ${delay} s late (p99)`] : []),
  ];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
