/**
 * What is left when twice as much comes as can be done: finds the highest rate that Viaduct sustains, offers twice that,
 * and says how much of the peak still succeeds. The bar is 90 %.
 *
 *     node bench/overload.ts --only register --from 500 --seconds 15
 */
import { parseArgs } from 'node:util';
import { startBackends } from './backends.ts';
import { cases } from './cases.ts';
import { callees, load, type Outcome, startAnswering } from './load.ts';
import { viaduct } from './peers/viaduct.ts';
import { createBenchSuite } from './suite.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'register' },
    from: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '15' },
  },
});
const one = cases.find(({ name }) => name === values.only);
if (one === undefined) throw new Error(`no such case: ${values.only}`);
const { scenario } = one;
const seconds = Number(values.seconds);
const searchSeconds = 6;
/** From one rate to the next. */
const growth = 1.25;
/** As many as there are accounts at the answering side, or as are refreshed without end. */
const users = scenario === 'register' ? 5_000 : callees;

const suite = createBenchSuite();
try {
  const backends = await startBackends(suite, one);
  const answerPort = await startAnswering(suite);
  const { port: proxyPort, said = () => '' } = await viaduct.start(suite, backends, one);
  const to = { proxyPort, answerPort, users };
  await load(suite, { ...to, scenario: 'register', rate: 250, seconds: users / 250 });
  await load(suite, { ...to, scenario, rate: Number(values.from), seconds: 15 });
  const offer = async (rate: number, forSeconds: number): Promise<Outcome> => {
    const before = said().length;
    const outcome = await load(suite, { ...to, scenario, rate: Math.round(rate), seconds: forSeconds });
    const words = said().slice(before).trimEnd();
    if (words !== '') say(words);
    return outcome;
  };
  let peak = 0;
  for (let rate = Number(values.from); ; rate *= growth) {
    const outcome = await offer(rate, searchSeconds);
    say(`${Math.round(rate)}/s: ${JSON.stringify(outcome)}`);
    if (outcome.failed > 0 || outcome.retransmissions > outcome.successful / 1_000) break;
    peak = rate;
  }
  if (peak === 0) throw new Error(`not even ${values.from}/s are sustained`);
  const outcome = await offer(2 * peak, seconds);
  const goodput = outcome.successful / seconds;
  say(`twice as much: ${JSON.stringify(outcome)}`);
  say(
    `${one.name}: peak ${Math.round(peak)}/s, at twice that ${Math.round(goodput)}/s: ${Math.round((100 * goodput) / peak)} %`,
  );
} finally {
  await suite.end();
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
