/** An empty folder for one test, removed after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'viaduct-start-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
