/**
 * What is held for what is there: memory of the process per idle WebSocket, per registered device behind one, per binding of
 * a telephone, and per call in progress. Resident memory, once it has come to rest: what V8 keeps for later counts, too.
 *
 *     node bench/memory.ts --connections 5000 --bindings 20000 --calls 1000
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { startBackends } from './backends.ts';
import { cases } from './cases.ts';
import { memoryMiB } from './cpu.ts';
import { accounts, callees, domain, load, startAnswering } from './load.ts';
import { viaduct } from './peers/viaduct.ts';
import { createBenchSuite } from './suite.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '5000' },
    bindings: { type: 'string', default: '20000' },
    calls: { type: 'string', default: '1000' },
  },
});
const connections = Number(values.connections);
const bindings = Number(values.bindings);
const calls = Number(values.calls);
const one = cases.find(({ name }) => name === 'call');
if (one === undefined) throw new Error('no such case');
if (bindings > accounts) throw new Error(`there are ${accounts} accounts`);

/** Transactions are kept for 32 s over UDP, and garbage is collected when V8 likes. */
const restMs = 45_000;
const atOnce = 100;

const suite = createBenchSuite();
try {
  const backends = await startBackends(suite, one);
  const answerPort = await startAnswering(suite);
  const { pid, port: proxyPort, wsPort = 0 } = await viaduct.start(suite, backends, one);
  let before = await settled(pid);
  say(`at rest: ${before.toFixed(1)} MiB`);
  const tell = async (what: string, count: number): Promise<void> => {
    const now = await settled(pid);
    say(`${count} ${what}: ${(((now - before) * 1_024) / count).toFixed(1)} KiB each (${now.toFixed(1)} MiB)`);
    before = now;
  };

  const sockets = await opened(wsPort, connections);
  await tell('idle WebSockets', connections);
  await registered(sockets);
  await tell('devices registered over them', connections);
  for (const socket of sockets) socket.terminate();
  before = await settled(pid);

  const to = { proxyPort, answerPort };
  await load(suite, { ...to, scenario: 'register', rate: 500, seconds: bindings / 500, users: bindings });
  await tell('bindings of telephones', bindings);

  const seconds = 10;
  const talk = load(suite, {
    ...to,
    scenario: 'call',
    rate: Math.ceil(calls / seconds),
    seconds,
    users: callees,
    holdMs: restMs + 30_000,
  });
  await delay(seconds * 1_000);
  await tell('calls in progress', calls);
  const { successful, failed } = await talk;
  say(`of the calls ${successful} ended well, ${failed} failed`);
} finally {
  await suite.end();
}

async function settled(pid: number): Promise<number> {
  await delay(restMs);
  return memoryMiB(pid);
}

async function opened(port: number, count: number): Promise<readonly WebSocket[]> {
  const sockets: WebSocket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => {
      return new WebSocket(`ws://127.0.0.1:${port}`, 'sip', { perMessageDeflate: false });
    });
    await Promise.all(some.map((socket) => event(socket, 'open')));
    sockets.push(...some);
  }
  return sockets;
}

/** As JsSIP does. */
async function registered(sockets: readonly WebSocket[]): Promise<void> {
  for (let at = 0; at < sockets.length; at += atOnce) {
    await Promise.all(sockets.slice(at, at + atOnce).map((socket, index) => register(socket, at + index)));
  }
}

async function register(socket: WebSocket, index: number): Promise<void> {
  const user = `u${String(index % accounts).padStart(7, '0')}`;
  const answer = event(socket, 'message');
  socket.send(
    [
      `REGISTER sip:${domain} SIP/2.0`,
      `Via: SIP/2.0/WS ${index}.invalid;branch=z9hG4bK${index}`,
      'Max-Forwards: 69',
      `To: <sip:${user}@${domain}>`,
      `From: <sip:${user}@${domain}>;tag=${index}`,
      `Call-ID: memory-${index}`,
      'CSeq: 1 REGISTER',
      `Contact: <sip:${index}@${index}.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance="<urn:uuid:${index}>";expires=600`,
      'Expires: 600',
      'Supported: path,gruu,outbound',
      'User-Agent: memory',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
  await answer;
}

function event(socket: WebSocket, name: 'open' | 'message'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(name, () => resolve());
    socket.once('error', reject);
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
