import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { bundlePages } from '../../../src/adapters/http/pages.ts';

const pages = await bundlePages();
const textOf = (path: string) => pages.get(path)?.body.toString('utf8') ?? '';

test('the pages of web/ are there with all they load, under the right types', () => {
  const types = [...pages].map(([path, file]) => [path, file.contentType]).sort();
  assert.deepEqual(types, [
    ['/', 'text/html; charset=utf-8'],
    ['/api', 'text/html; charset=utf-8'],
    ['/console.css', 'text/css; charset=utf-8'],
    ['/console.js', 'text/javascript; charset=utf-8'],
    ['/favicon.svg', 'image/svg+xml'],
    ['/phone', 'text/html; charset=utf-8'],
    ['/phone-worker.js', 'text/javascript; charset=utf-8'],
    ['/phone.css', 'text/css; charset=utf-8'],
    ['/phone.js', 'text/javascript; charset=utf-8'],
    ['/reference.css', 'text/css; charset=utf-8'],
    ['/reference.js', 'text/javascript; charset=utf-8'],
  ]);
  for (const page of ['/', '/api', '/phone']) {
    for (const [, path] of textOf(page).matchAll(/(?:src|href)="(\/[^"#]*)"/g)) {
      assert.ok(pages.has(path ?? '') || /^\/(health|api\/)/.test(path ?? ''), `${page} loads ${path}`);
    }
  }
});

test('nothing is inline, as the Content-Security-Policy demands, and nothing comes from elsewhere', () => {
  for (const page of ['/', '/api', '/phone']) {
    const html = textOf(page);
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i, page);
    assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//i, page);
  }
  for (const sheet of ['/phone.css', '/console.css', '/reference.css'])
    assert.doesNotMatch(textOf(sheet), /@import|url\(/);
});

test('JsSIP is bundled in the phone, and the console does without', () => {
  assert.match(textOf('/phone.js'), /JsSIP/);
  assert.doesNotMatch(textOf('/console.js'), /JsSIP/);
});

test('each file has its own tag, and its compressed form is the same file', () => {
  const tags = new Set([...pages.values()].map((file) => file.etag));
  assert.equal(tags.size, pages.size);
  for (const file of pages.values()) assert.deepEqual(gunzipSync(file.gzip), file.body);
});

test('a page that cannot be bundled refuses to start, with file and line', async () => {
  const web = fileURLToPath(new URL('../../../web/', import.meta.url));
  const directory = await mkdtemp(join(tmpdir(), 'viaduct-web-'));
  try {
    await cp(web, join(directory, 'web'), { recursive: true });
    for (const folder of ['src', 'routes']) {
      await symlink(fileURLToPath(new URL(`../../../${folder}`, import.meta.url)), join(directory, folder));
    }
    await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(directory, 'node_modules'));
    await writeFile(join(directory, 'web/shared/dom.ts'), 'export const = 1;\n');
    await assert.rejects(bundlePages(join(directory, 'web')), { code: 'pages-broken', message: /dom\.ts:1:13/ });
  } finally {
    await rm(directory, { recursive: true });
  }
});
