/**
 * The pages of `web/`, bundled once at start and kept in memory: the console, the phone and what they load.
 * JsSIP and Preact are part of their scripts, so that no browser ever asks another host for anything.
 * It does not watch the files: a change shows after a restart.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Failure } from '../../errors.ts';

export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly etag: string;
}

/** By path, as in `/phone.js`. */
export type Pages = ReadonlyMap<string, PageFile>;

const WEB = fileURLToPath(new URL('../../../web/', import.meta.url));

const documents = [
  { path: '/', file: 'console/console.html', contentType: 'text/html; charset=utf-8' },
  { path: '/phone', file: 'phone/phone.html', contentType: 'text/html; charset=utf-8' },
  { path: '/api', file: 'reference/reference.html', contentType: 'text/html; charset=utf-8' },
  { path: '/favicon.svg', file: 'shared/favicon.svg', contentType: 'image/svg+xml' },
] as const;

/** By the name under which each is served. */
const bundles = {
  'console.js': 'console/console.tsx',
  'console.css': 'console/console.css',
  'reference.js': 'reference/reference.tsx',
  'reference.css': 'reference/reference.css',
  'phone.js': 'phone/phone.ts',
  'phone.css': 'phone/phone.css',
  'phone-worker.js': 'phone/worker.ts',
} as const;

/** Rejects with `pages-broken`, naming file and line. */
export async function bundlePages(directory: string = WEB): Promise<Pages> {
  try {
    const found = await Promise.all([...documents.map((entry) => readDocument(directory, entry)), bundle(directory)]);
    return new Map(found.flat());
  } catch (thrown) {
    throw new Failure('pages-broken', thrown instanceof Error ? thrown.message : String(thrown));
  }
}

type Entry = readonly [path: string, file: PageFile];

async function readDocument(directory: string, entry: (typeof documents)[number]): Promise<readonly Entry[]> {
  return [[entry.path, pageFile(entry.contentType, await readFile(`${directory}/${entry.file}`))]];
}

async function bundle(directory: string): Promise<readonly Entry[]> {
  // Only here: the container image has its pages built already, and no esbuild.
  const { build, stop } = await import('esbuild');
  try {
    const result = await build({
      absWorkingDir: directory,
      entryPoints: Object.entries(bundles).map(([out, file]) => ({ in: file, out: out.replace(/\.\w+$/, '') })),
      outdir: '/',
      bundle: true,
      minify: true,
      write: false,
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      // Pages must not depend on the tsconfig of the server.
      tsconfigRaw: '{}',
      logLevel: 'silent',
    });
    return result.outputFiles.map((file) => [file.path, pageFile(typeOf(file.path), Buffer.from(file.contents))]);
  } finally {
    // esbuild keeps a child process for the next build; there is none.
    await stop();
  }
}

function typeOf(path: string): string {
  return path.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8';
}

export function pageFile(contentType: string, body: Buffer): PageFile {
  // Weak, because the same tag stands for the plain and the compressed form (RFC 9110 §8.8.3).
  const etag = `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { contentType, body, gzip: gzipSync(body), etag };
}
