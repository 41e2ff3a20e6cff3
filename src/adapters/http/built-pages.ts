/**
 * The pages as one file, `web/pages.json`: made when a container image is built, so that the image needs neither esbuild
 * nor the sources of the pages. In a clone there is no such file, and pages.ts bundles them at each start.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { Failure } from '../../errors.ts';
import { bundlePages, type Pages, pageFile } from './pages.ts';

const BUILT = fileURLToPath(new URL('../../../web/pages.json', import.meta.url));

const File = Type.Record(Type.String(), Type.Object({ contentType: Type.String(), base64: Type.String() }));

/** Those of the file where there is one, else bundled now. */
export async function loadPages(path: string = BUILT): Promise<Pages> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? bundlePages() : parsed(path, text);
}

export async function writePages(pages: Pages, path: string = BUILT): Promise<void> {
  const entries = [...pages].map(([name, { contentType, body }]) => [
    name,
    { contentType, base64: body.toString('base64') },
  ]);
  await writeFile(path, JSON.stringify(Object.fromEntries(entries)));
}

function parsed(path: string, text: string): Pages {
  const file: unknown = asJson(text);
  if (!Value.Check(File, file)) throw new Failure('pages-broken', `${path} is not what \`writePages\` wrote`);
  const entries = Object.entries(file);
  return new Map(
    entries.map(([name, { contentType, base64 }]) => [name, pageFile(contentType, Buffer.from(base64, 'base64'))]),
  );
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
