/** DESIGN law 8: a DATA_DIR that cannot be used is named, with what is wrong with it, at once. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Failure } from '../../src/errors.ts';
import { makeFolder, openDataDir } from '../../src/start/data-dir.ts';
import { newFolder } from './folder.ts';

function refused(dataDir: string, why: RegExp, newDatabase = true): void {
  assert.throws(
    () => openDataDir(dataDir, newDatabase),
    (thrown) => {
      assert.ok(thrown instanceof Failure && thrown.code === 'data-dir', String(thrown));
      assert.ok(thrown.message.includes(`DATA_DIR=${dataDir}: `), thrown.message);
      assert.match(thrown.message, why);
      return true;
    },
  );
}

test('it is made with the folders above it, and nothing is left of the trial', (t) => {
  const dataDir = join(newFolder(t), 'a', 'b');
  openDataDir(dataDir, true);
  openDataDir(dataDir, true);
  assert.deepEqual(readdirSync(dataDir), []);
});

test('under /proc nothing can be made: it is said, where a recursive mkdir never comes back', () => {
  refused('/proc/viaduct', /ENOENT|EACCES/);
  refused('/proc/viaduct/data', /ENOENT|EACCES/);
  refused('/proc/1/viaduct/data', /ENOENT|EACCES/);
});

test('a file, and a folder below a file', (t) => {
  const file = join(newFolder(t), 'file');
  writeFileSync(file, '');
  refused(file, /is a file/);
  refused(join(file, 'data'), /ENOTDIR|is a file/);
});

test('a file system that is read-only, and one that is full', { timeout: 60_000 }, (t) => {
  const folder = newFolder(t);
  assert.match(onFileSystem('size=1m,ro', folder, true), /^data-dir: .*DATA_DIR=\S+: .*EROFS/);
  assert.match(onFileSystem('size=1m,ro', join(folder, 'data'), true), /^data-dir: .*DATA_DIR=\S+data: .*EROFS/);
  assert.match(onFileSystem('size=16k', folder, false), /^data-dir: .*ENOSPC/);
  assert.match(onFileSystem('size=50m', folder, true), /^data-dir: .* \d+ MB are free there, and a new database takes/);
  assert.equal(onFileSystem('size=50m', folder, false), 'well');
});

test('what is there already is left as it is', (t) => {
  const folder = newFolder(t);
  mkdirSync(join(folder, 'x'));
  makeFolder(join(folder, 'x'));
  assert.deepEqual(readdirSync(folder), ['x']);
});

/** What comes of it where the folder is on such a file system, which ends with the namespace that it is mounted in. */
function onFileSystem(options: string, dataDir: string, newDatabase: boolean): string {
  const mount = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"';
  const program = `
    import { openDataDir } from ${JSON.stringify(join(import.meta.dirname, '../../src/start/data-dir.ts'))};
    let outcome = 'well';
    try { openDataDir(${JSON.stringify(dataDir)}, ${newDatabase}); } catch (thrown) { outcome = thrown.code + ': ' + thrown.message; }
    process.stdout.write(outcome);`;
  const node = [process.execPath, '--input-type=module', '--eval', program];
  const root = dataDir.replace(/\/data$/, '');
  // Root needs no namespace of users, which a chroot would refuse.
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const args = [...asRoot, '--mount', 'sh', '-c', mount, 'sh', options, root, ...node];
  return execFileSync('unshare', args, { encoding: 'utf8' });
}
