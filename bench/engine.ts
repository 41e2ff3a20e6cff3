/**
 * What a call from a browser costs the engine alone: no sockets, no processes, stores and rtpengine in memory, time as
 * fast as it can be. Says in seconds whether a change helps, also on a busy machine.
 *
 *     node --expose-gc bench/engine.ts [calls]
 *     node --cpu-prof bench/engine.ts
 *
 * Left out: UDP, PostgreSQL and ng, and what code costs that runs seldom (run.ts measures the whole).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { routes } from '../routes/routes.ts';
import { createRandom } from '../src/adapters/system.ts';
import { createEngine } from '../src/engine/engine.ts';
import type { Clock, Flow, Listener, Log, MediaRelay, Network, SocketAddress } from '../src/ports.ts';
import { createMemoryDatabase } from '../test/support/memory-stores.ts';
import { createNames } from '../test/support/names.ts';

/** Of virtual time: 100 calls per second, each of them a second long. */
const betweenCallsMs = 10;
const holdMs = 1_000;
const calls = Number(process.argv[2] ?? 20_000);

// --- time ------------------------------------------------------------------------------------------------------------

let nowMs = 1_000_000_000_000;
const due = new Map<number, Set<() => void>>();
const clock: Clock = {
  nowMs: () => nowMs,
  after: (delayMs, action) => {
    const atMs = nowMs + Math.max(1, Math.ceil(delayMs));
    const actions = due.get(atMs) ?? new Set();
    due.set(atMs, actions.add(action));
    return () => void actions.delete(action);
  },
};

async function pass(ms: number): Promise<void> {
  for (const endMs = nowMs + ms; nowMs < endMs; ) {
    nowMs += 1;
    for (const action of due.get(nowMs) ?? []) action();
    due.delete(nowMs);
  }
  for (let turns = 0; turns < 12; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

// --- the two parties -------------------------------------------------------------------------------------------------

const domain = 'bench.test';
const caller: SocketAddress = { address: '192.0.2.1', port: 5060 };
const callee: SocketAddress = { address: '192.0.2.2', port: 5060 };
const proxy: SocketAddress = { address: '192.0.2.100', port: 5060 };
const [offer, answer] = ['call-webrtc.xml', 'answer.xml'].map(sdpOf);

/** Of a scenario of sipp: what stands between `v=0` and the end of its message. */
function sdpOf(scenario: string): string {
  const text = readFileSync(join(import.meta.dirname, 'scenarios', scenario), 'latin1');
  const [, body = ''] = /\n(v=0\n.*?)\n+ *\]\]>/s.exec(text) ?? [];
  return `${body.replaceAll(/\[\w+\]/g, '1').replaceAll('\n', '\r\n')}\r\n`;
}

function lines(...all: readonly string[]): string {
  return `${all.join('\r\n')}\r\n`;
}

const body = (sdp = ''): string => lines('Content-Type: application/sdp', `Content-Length: ${sdp.length}`, '') + sdp;
const noBody = lines('Content-Length: 0', '');
const of = (text: string, name: string): readonly string[] =>
  text.split('\r\n').filter((line) => line.startsWith(`${name}: `));

function responseTo(request: string, status: string, number: string, rest: string): string {
  const [to = ''] = of(request, 'To');
  const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) => of(request, name));
  const tagged = to.includes(';tag=') ? to : `${to};tag=s${number}`;
  return lines(`SIP/2.0 ${status}`, ...copied, tagged, `Contact: <sip:callee@${callee.address}>`) + rest;
}

const numberOf = (text: string): string => /^Call-ID: (\d+)/m.exec(text)?.[1] ?? '';

function request(method: string, number: string, middle: readonly string[], rest: string, uri: string): string {
  const cseq = method === 'BYE' ? 2 : 1;
  return (
    lines(
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${caller.address}:5060;branch=z9hG4bK${method}${number}`,
      ...middle,
      `From: <sip:caller@${domain}>;tag=c${number}`,
      `Call-ID: ${number}@${caller.address}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:caller@${caller.address}>`,
      'Max-Forwards: 70',
      'User-Agent: bench',
    ) + rest
  );
}

const target = `sip:u1@${domain}`;
const invite = (number: string): string => request('INVITE', number, [`To: <${target}>`], body(offer), target);

function within(method: string, ok: string): string {
  const routes = of(ok, 'Record-Route').map((line) => line.replace('Record-Route', 'Route'));
  return request(method, numberOf(ok), [...routes, ...of(ok, 'To')], noBody, `sip:callee@${callee.address}`);
}

let ended = 0;

function heardByCallee(text: string): void {
  const number = numberOf(text);
  if (text.startsWith('BYE')) say(flows.callee, responseTo(text, '200 OK', number, noBody));
  if (!text.startsWith('INVITE')) return;
  say(flows.callee, responseTo(text, '180 Ringing', number, noBody));
  clock.after(5, () => say(flows.callee, responseTo(text, '200 OK', number, body(answer))));
}

function heardByCaller(text: string): void {
  if (!text.startsWith('SIP/2.0 200')) return;
  if (text.includes('CSeq: 2 BYE')) ended += 1;
  if (!text.includes('CSeq: 1 INVITE')) return;
  say(flows.caller, within('ACK', text));
  clock.after(holdMs, () => say(flows.caller, within('BYE', text)));
}

// --- the proxy -------------------------------------------------------------------------------------------------------

const listener: Listener = {
  index: 0,
  entry: `udp:${proxy.address}:${proxy.port}`,
  transport: 'udp',
  local: proxy,
  advertised: { host: proxy.address, port: proxy.port },
};
const flowTo = (remote: SocketAddress): Flow => {
  return { id: `u0:${remote.address}:${remote.port}`, transport: 'udp', listener, remote, inbound: true };
};
const flows = { caller: flowTo(caller), callee: flowTo(callee) };
const network: Network = {
  listeners: [listener],
  send: ({ remote }, text) => {
    setImmediate(remote.address === caller.address ? heardByCaller : heardByCallee, text);
    return true;
  },
  find: (id) => Object.values(flows).find((flow) => flow.id === id),
  connect: (_, remote) => flowTo(remote),
  close: () => undefined,
  statistics: () => ({ connections: { tcp: 0, tls: 0, ws: 0, wss: 0 }, dropped: {} }),
};
const sdpFor = { offer: answer, answer: offer?.replace('a=setup:actpass', 'a=setup:passive') };
const media: MediaRelay = {
  candidates: () => ['m1'],
  addressOf: () => 'udp:192.0.2.3:22222',
  nodes: () => [
    { id: 'm1', address: 'udp:192.0.2.3:22222', weight: 1, state: 'up', ports: undefined, lastError: undefined },
  ],
  send: async (_, { command }) => {
    await new Promise((resolve) => setImmediate(resolve));
    const sdp = command === 'offer' || command === 'answer' ? sdpFor[command] : undefined;
    return { result: 'ok', ...(sdp === undefined ? {} : { sdp }) };
  },
};
const faults: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields, text) => void faults.push(`${text} ${JSON.stringify(fields)}`),
  error: (fields, text) => void faults.push(`${text} ${JSON.stringify(fields)}`),
};
const database = createMemoryDatabase(clock);
database.addUser('u1', domain, 'secret');
const engine = createEngine(
  { ...database, database, clock, random: createRandom(), network, resolver: createNames({}), media, log },
  routes,
  {
    node: 'n1',
    boot: 'b00700',
    secrets: ['00112233445566778899aabbccddeeff'],
    domains: [domain],
    isTrusted: () => true,
    acceptForeign: false,
    graceMs: 10_000,
    timerCMs: 180_000,
    presence: 'open',
    version: 'bench',
  },
);
const say = (flow: Flow, text: string): void => engine.message(text, flow);

// --- the run ---------------------------------------------------------------------------------------------------------

async function run(first: number, count: number): Promise<number> {
  const before = process.cpuUsage();
  for (let number = first; number < first + count; number += 1) {
    say(flows.caller, invite(String(number)));
    await pass(betweenCallsMs);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / count;
}

await Promise.all([engine.start(), pass(100)]);
const registered = lines(
  `REGISTER sip:${domain} SIP/2.0`,
  `Via: SIP/2.0/UDP ${callee.address}:5060;branch=z9hG4bKregister`,
  `From: <${target}>;tag=r`,
  `To: <${target}>`,
  'Call-ID: 0@register',
  'CSeq: 1 REGISTER',
  `Contact: <sip:u1@${callee.address}:5060>;expires=360000`,
  'Max-Forwards: 70',
);
say(flows.callee, registered + noBody);
await pass(100);
const cold = await run(1, calls / 4);
const warm = await run(1 + calls / 4, calls);
await pass(2 * holdMs);
globalThis.gc?.();
const MiB = process.memoryUsage().heapUsed / 1_048_576;
process.stdout.write(`${warm.toFixed(4)} ms a call (${cold.toFixed(4)} at first); heap ${MiB.toFixed(0)} MiB\n`);
if (faults.length > 0 || ended < calls) {
  process.stdout.write(`not counted: ${ended} of ${calls * 1.25} calls ended; ${faults.slice(0, 3).join('\n')}\n`);
  process.exitCode = 1;
}
