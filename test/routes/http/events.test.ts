/** `GET /api/v1/events` over a real connection: what a client reads, and what it costs when it does not read. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Value } from 'typebox/value';
import { HappeningBody } from '../../../routes/http/schemas.ts';
import type { Happening } from '../../../src/engine/operations.ts';
import { call, listening, operations, statistics } from '../../adapters/http/fixture.ts';

interface Source {
  tell(happening: Happening): void;
  watchers(): number;
}

function source(): Source & { readonly watch: (watcher: (happening: Happening) => void) => () => void } {
  const watchers = new Set<(happening: Happening) => void>();
  return {
    tell: (happening) => watchers.forEach((watcher) => void watcher(happening)),
    watchers: () => watchers.size,
    watch: (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

/** Reads until `isEnough`, then hangs up. */
async function reads(port: number, isEnough: (text: string) => boolean, meanwhile: () => void): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request({ host: '127.0.0.1', port, path: '/api/v1/events', agent: false }, async (response) => {
    assert.match(String(response.headers['content-type']), /^text\/event-stream/);
    assert.equal(response.headers['x-content-type-options'], 'nosniff');
    meanwhile();
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (isEnough(text)) break;
    }
    resolve(text);
  });
  asked.on('error', reject).end();
  return promise.finally(() => asked.destroy());
}

async function until(isSo: () => boolean): Promise<void> {
  for (let times = 0; !isSo(); times++) {
    assert.ok(times < 200, 'within two seconds');
    await delay(10);
  }
}

const played = (t: TestContext, body: (port: number, from: Source) => Promise<void>) => {
  const from = source();
  t.after(() => assert.equal(from.watchers(), 0, 'nobody is told who is gone'));
  return listening({ operations: { ...operations, watch: from.watch } }, async (port) => {
    await body(port, from);
    await until(() => from.watchers() === 0);
  });
};

test('each event has its type and data as the schema says, and nulls for what is not known', (t) =>
  played(t, async (port, from) => {
    const [node] = statistics.rtpengine;
    assert.ok(node !== undefined);
    const text = await reads(
      port,
      (got) => got.split('\n\n').length > 5,
      () => {
        from.tell({ type: 'call', change: 'started', call });
        from.tell({ type: 'registration', aor: 'sip:bob@example.com', source: '192.0.2.1:5060' });
        from.tell({ type: 'node', node });
        from.tell({ type: 'counters', statistics });
      },
    );
    const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)];
    assert.deepEqual(
      events.map(([, type]) => type),
      ['call', 'registration', 'node', 'counters'],
    );
    for (const [, type, data = ''] of events) {
      const value: unknown = JSON.parse(data);
      assert.ok(Value.Check(HappeningBody, value), data);
      assert.equal(value.type, type);
    }
  }));

test('law 9: a client that does not read misses events, is told how many, and holds no memory', (t) =>
  played(t, async (port, from) => {
    const asked = request({ host: '127.0.0.1', port, path: '/api/v1/events', agent: false });
    const { promise, resolve } = Promise.withResolvers<void>();
    let text = '';
    asked.on('response', async (response) => {
      for (let times = 0; times < 20_000; times++) from.tell({ type: 'call', change: 'started', call });
      await delay(100);
      const many = setInterval(() => from.tell({ type: 'call', change: 'ended', call }), 20);
      for await (const chunk of response.setEncoding('utf8')) {
        text += chunk;
        if (text.includes('event: lost')) break;
      }
      clearInterval(many);
      resolve();
    });
    asked.end();
    await promise;
    asked.destroy();
    const missed = Number(/"events":(\d+)/.exec(text)?.[1]);
    assert.ok(missed > 5_000, `${missed} missed`);
  }));

test('law 9: the 33rd listener is told to wait, and one that leaves makes room', (t) =>
  played(t, async (port, from) => {
    const open = Array.from({ length: 32 }, () => {
      const asked = request({ host: '127.0.0.1', port, path: '/api/v1/events', agent: false });
      asked.on('error', () => undefined).on('response', (response) => response.resume().on('error', () => undefined));
      asked.end();
      return asked;
    });
    await until(() => from.watchers() === 32);
    const status = await new Promise((resolve) => {
      request({ host: '127.0.0.1', port, path: '/api/v1/events', agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    assert.equal(status, 503);
    for (const asked of open) asked.destroy();
    await until(() => from.watchers() === 0);
  }));
