import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Routes, reply } from '../../src/engine/api.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { serialize } from '../../src/message/edit.ts';
import type { Network } from '../../src/ports.ts';
import { createClock } from '../support/clock.ts';
import { flowOf, type RequestParts, requestOf } from '../support/fake-proxy.ts';
import { createMediaRelayFake } from '../support/media-relay-fake.ts';
import { createMemoryDatabase } from '../support/memory-stores.ts';
import { createRandom } from '../support/random.ts';

const flow = flowOf('tcp', '192.0.2.1', 40_000);

/** An engine between these routes and a network that only notes what leaves, by its first line. */
function create(request: Routes['request']): { readonly engine: Engine; readonly sent: string[] } {
  const clock = createClock();
  const sent: string[] = [];
  const network: Network = {
    listeners: [flow.listener],
    send: (_, text) => sent.push(text) > 0,
    find: () => flow,
    connect: () => flow,
    close: () => undefined,
    statistics: () => ({ connections: { tcp: 0, tls: 0, ws: 0, wss: 0 }, dropped: {} }),
  };
  const database = createMemoryDatabase(clock);
  const ignore = (): void => undefined;
  const engine = createEngine(
    {
      ...database,
      clock,
      network,
      database,
      random: createRandom(1),
      media: createMediaRelayFake(clock),
      resolver: { addresses: async () => [] },
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    },
    {
      request,
      branch: async ({ message }) => message,
      reply: async ({ response }) => response,
      failure: async () => undefined,
    },
    {
      node: 'n1',
      boot: 'b00700',
      secrets: ['secret'],
      domains: ['example.com'],
      isTrusted: () => true,
      acceptForeign: false,
      graceMs: 10_000,
      timerCMs: 181_000,
      version: '0',
    },
  );
  return { engine, sent };
}

function textOf(parts: RequestParts, branch: string): string {
  return serialize(requestOf({ ...parts, flow }).message).replace('z9hG4bK1', branch);
}

test('law 9: with 20,000 transactions in progress the next request is told to try again: 503 with Retry-After', () => {
  const { engine, sent } = create(() => new Promise(() => undefined));
  for (let index = 0; index < 20_000; index++) engine.message(textOf({ method: 'MESSAGE' }, `z9hG4bK${index}`), flow);
  assert.deepEqual(sent, []);
  for (const method of ['OPTIONS', 'INVITE', 'CANCEL']) {
    engine.message(textOf({ method }, `z9hG4bK${method}`), flow);
    const response = sent.pop() ?? '';
    assert.match(response, /^SIP\/2\.0 503 .*\r\nWarning: 399 .*\r\nRetry-After: 5\r\n/s, method);
    assert.match(response, new RegExp(`\r\nCSeq: 1 ${method}\r\n`));
  }
  engine.message(textOf({ method: 'ACK' }, 'z9hG4bKack'), flow);
  assert.deepEqual(sent, [], 'an ACK is not answered');
});

test('law 8: a route that throws is a 500 for its request, and the next request is served', async () => {
  let calls = 0;
  const { engine, sent } = create(async () => {
    if (++calls === 1) throw new TypeError('a bug');
    return reply(200);
  });
  engine.message(textOf({ method: 'MESSAGE' }, 'z9hG4bKone'), flow);
  engine.message(textOf({ method: 'MESSAGE' }, 'z9hG4bKtwo'), flow);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent.map((text) => text.split('\r\n')[0]).sort(), [
    'SIP/2.0 200 OK',
    'SIP/2.0 500 Server Internal Error',
  ]);
});
