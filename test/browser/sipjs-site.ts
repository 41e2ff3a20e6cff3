/** Serves a page script of this folder, bundled, on loopback, where a page may use the microphone. */
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Scope } from '../support/process.ts';

export function openSipjsSite(scope: Scope): Promise<string> {
  return openPageSite(scope, 'sipjs-page.js');
}

export async function openPageSite(scope: Scope, file: string): Promise<string> {
  const entryPoints = [fileURLToPath(new URL(file, import.meta.url))];
  const { outputFiles } = await build({ entryPoints, bundle: true, write: false, format: 'iife', logLevel: 'silent' });
  const script = outputFiles[0]?.text ?? '';
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><title>SIP.js</title><script src="/page.js"></script>');
  });
  scope.after(() => void server.close());
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}
