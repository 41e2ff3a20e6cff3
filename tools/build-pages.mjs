/** Writes the pages of `web/` into one file, for the container image; see src/adapters/http/built-pages.ts. */
import { writePages } from '../src/adapters/http/built-pages.ts';
import { bundlePages } from '../src/adapters/http/pages.ts';

await writePages(await bundlePages());
