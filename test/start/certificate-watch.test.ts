import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TlsSource } from '../../src/adapters/network/tls-source.ts';
import { Failure } from '../../src/errors.ts';
import { watchCertificates } from '../../src/start/certificate-watch.ts';
import { createClock } from '../support/clock.ts';

const dayMs = 86_400_000;
const tls: TlsSource = {
  server: () => assert.fail('no listener asks'),
  client: () => assert.fail('nobody connects'),
  check: () => undefined,
  identities: [],
};

test("once a day the certificates are read, and shown where that is nobody else's decision; a fault ends no process", async () => {
  const clock = createClock();
  const story: string[] = [];
  let broken = false;
  const cancel = watchCertificates({
    clock,
    read: async () => {
      story.push('read');
      if (broken) throw new Failure('tls-config', 'tls.cfg line 3: no such file');
      return tls;
    },
    use: () => story.push('use'),
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (_about, words) => story.push(words),
      error: () => undefined,
    },
  });
  await clock.advance(dayMs - 1);
  assert.deepEqual(story, []);
  await clock.advance(1);
  assert.deepEqual(story, ['read', 'use']);
  broken = true;
  await clock.advance(dayMs);
  assert.deepEqual(story.slice(2, 3), ['read']);
  assert.match(story[3] ?? '', /^The certificates cannot be read; .* tls\.cfg line 3/);
  cancel();
  await clock.advance(3 * dayMs);
  assert.equal(story.length, 4);
});
