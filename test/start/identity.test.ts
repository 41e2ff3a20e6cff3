import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kept, loadIdentity } from '../../src/start/identity.ts';
import { newFolder } from './folder.ts';

test('the node and its secret are the same after a restart, the boot is another one', (t) => {
  const folder = newFolder(t);
  const [first, second] = [loadIdentity(folder, []), loadIdentity(folder, [])];
  assert.deepEqual([first.node, first.secrets], [second.node, second.secrets]);
  assert.notEqual(first.boot, second.boot);
});

test('another folder is another node with another secret', (t) => {
  const [one, two] = [loadIdentity(newFolder(t), []), loadIdentity(newFolder(t), [])];
  assert.notEqual(one.node, two.node);
  assert.notDeepEqual(one.secrets, two.secrets);
});

test('each has the form that tokens, flows and nonces need', (t) => {
  const { node, boot, secrets } = loadIdentity(newFolder(t), []);
  assert.match(node, /^n[0-9a-f]{8}$/);
  assert.match(boot, /^[0-9a-f]{6}$/);
  assert.match(secrets.join(), /^[0-9a-f]{64}$/);
});

test('a DATA_DIR that cannot be made or written is named, with what to do', (t) => {
  const folder = newFolder(t);
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => loadIdentity(join(folder, 'file', 'data'), []), { code: 'data-dir' });
});

test('only their owner can read the files', (t) => {
  const folder = newFolder(t);
  loadIdentity(folder, []);
  const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);
  assert.deepEqual(Object.fromEntries(modes), { 'node-id': 0o600, 'token-secret': 0o600 });
});

test('DESIGN §6 TOKEN_SECRET: given ones are used in their order, and none is made or written', (t) => {
  const folder = newFolder(t);
  const given = ['aa'.repeat(32), 'bb'.repeat(32)];
  assert.deepEqual(loadIdentity(folder, given).secrets, given);
  assert.deepEqual(readdirSync(folder), ['node-id']);
});

test('the folder is made where it does not exist', (t) => {
  const folder = join(newFolder(t), 'a', 'b');
  loadIdentity(folder, []);
  assert.ok(readdirSync(folder).includes('node-id'));
});

test('a file that is empty, as after a full disk, gets a new value', (t) => {
  const path = join(newFolder(t), 'value');
  writeFileSync(path, ' \n');
  assert.equal(
    kept(path, () => 'new'),
    'new',
  );
  assert.equal(readFileSync(path, 'utf8'), 'new\n');
  assert.equal(
    kept(path, () => 'newer'),
    'new',
  );
});
