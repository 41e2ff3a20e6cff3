/**
 * The pages as one file, `web/pages.built`: made with a container image, so that the image needs neither esbuild nor the
 * sources of the pages. In a clone there is no such file, and pages.ts bundles them at each start.
 * One line a page: its path, its content type and its bytes as base64, with tabs between.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../errors.ts';
import { bundlePages, type Pages, pageFile } from './pages.ts';

const BUILT = fileURLToPath(new URL('../../../web/pages.built', import.meta.url));

/** Those of the file where there is one, else bundled now. */
export async function loadPages(path: string = BUILT): Promise<Pages> {
  const text = await readFile(path, 'latin1').catch(() => undefined);
  if (text === undefined) return bundlePages();
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .map((line) => page(path, line)),
  );
}

export async function writePages(pages: Pages, path: string = BUILT): Promise<void> {
  const lines = [...pages].map(([name, { contentType, body }]) => [name, contentType, body.toString('base64')]);
  await writeFile(path, lines.map((line) => `${line.join('\t')}\n`).join(''));
}

function page(path: string, line: string): readonly [string, ReturnType<typeof pageFile>] {
  const [name, contentType, base64] = line.split('\t');
  if (name === undefined || contentType === undefined || base64 === undefined) {
    throw new Failure('pages-broken', `${path} is not what tools/build-pages.mjs wrote`);
  }
  return [name, pageFile(contentType, Buffer.from(base64, 'base64'))];
}
