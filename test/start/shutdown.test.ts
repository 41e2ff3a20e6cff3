import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../src/ports.ts';
import { Shutdown } from '../../src/start/shutdown.ts';

function create(patienceMs?: number) {
  const warnings: { readonly text: string; readonly fields: object }[] = [];
  const ignore = (): void => undefined;
  const log: Log = {
    debug: ignore,
    info: ignore,
    warn: (fields, text) => void warnings.push({ fields, text }),
    error: ignore,
  };
  const shutdown = new Shutdown(log, patienceMs);
  const story: string[] = [];
  const add = (name: string): void => shutdown.add(name, () => void story.push(name));
  return { shutdown, story, add, warnings };
}

test('what was started last stops first, each when the one before it has stopped', async () => {
  const { shutdown, story, add } = create();
  add('database');
  shutdown.add('engine', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    story.push('engine');
  });
  add('pages');
  await shutdown.run();
  assert.deepEqual(story, ['pages', 'engine', 'database']);
});

test('a step that fails is logged with its name and reason, and does not stop the others', async () => {
  const { shutdown, story, add, warnings } = create();
  add('database');
  shutdown.add('engine', () => Promise.reject(new Error('stuck')));
  shutdown.add('network', () => {
    throw new Error('gone');
  });
  add('pages');
  await shutdown.run();
  assert.deepEqual(story, ['pages', 'database']);
  assert.deepEqual(warnings, [
    { text: 'Stopping network failed', fields: { error: 'Error: gone' } },
    { text: 'Stopping engine failed', fields: { error: 'Error: stuck' } },
  ]);
});

test('a step that hangs is left behind after its time', async () => {
  const { shutdown, story, add, warnings } = create(20);
  add('database');
  shutdown.add('rtpengine', () => new Promise(() => undefined));
  await shutdown.run();
  assert.deepEqual(story, ['database']);
  assert.match(String(Object.values(warnings[0]?.fields ?? {})), /not done after 20 ms/);
});

test('asked twice it stops everything once, and both wait for it', async () => {
  const { shutdown, story, add } = create();
  add('database');
  const [first, second] = [shutdown.run(), shutdown.run()];
  await second;
  assert.deepEqual(story, ['database']);
  await first;
  await shutdown.run();
  assert.deepEqual(story, ['database']);
});

test('what is started while it stops is stopped, too', async () => {
  const { shutdown, story, add } = create();
  shutdown.add('network', async () => {
    add('a late one');
    await new Promise((resolve) => setImmediate(resolve));
  });
  await shutdown.run();
  assert.deepEqual(story, ['a late one']);
});
