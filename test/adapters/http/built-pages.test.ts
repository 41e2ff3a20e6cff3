import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadPages, writePages } from '../../../src/adapters/http/built-pages.ts';
import { bundlePages } from '../../../src/adapters/http/pages.ts';

test('the pages that an image was built with are those that a clone bundles at start', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'viaduct-pages-'));
  try {
    const path = join(directory, 'pages.built');
    const bundled = await bundlePages();
    await writePages(bundled, path);
    assert.deepEqual(await loadPages(path), bundled);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('where nothing was built, the pages are bundled now; a broken file refuses to start and is named', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'viaduct-pages-'));
  try {
    const path = join(directory, 'pages.built');
    assert.ok((await loadPages(path)).has('/phone'));
    await writeFile(path, '/phone');
    await assert.rejects(loadPages(path), { code: 'pages-broken', message: /pages\.built/ });
  } finally {
    await rm(directory, { recursive: true });
  }
});
