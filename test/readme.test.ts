/** README.md says what is there: every setting, headings that its links lead to, and commands that exist. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsHelp } from '../src/config.ts';

const projectDir = join(import.meta.dirname, '..');
const readme = readFileSync(join(projectDir, 'README.md'), 'utf8');

const found = (pattern: RegExp, text = readme): readonly string[] =>
  [...text.matchAll(pattern)].map(([, part]) => part ?? '');

test('every setting stands in the table of settings, and none that is gone', () => {
  const table = readme.slice(readme.indexOf('\n## Settings\n'), readme.indexOf('\n## Where to read on\n'));
  assert.deepEqual(
    found(/^\| `([A-Z_]+)` \|/gm, table).toSorted(),
    found(/^([A-Z_]+) \(/gm, settingsHelp()).toSorted(),
  );
});

test('each link within leads to a heading, and each to a file leads to one', () => {
  // As GitHub makes them of a heading.
  const anchors = found(/^## (.*)$/gm).map((title) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const anchor of found(/\]\(#([^)]+)\)/g)) assert.ok(anchors.includes(anchor), anchor);
  for (const file of found(/\]\(([^#)]+)\)/g)) assert.ok(readFileSync(join(projectDir, file), 'utf8') !== '', file);
});

test('each command that it names exists', () => {
  const main = readFileSync(join(projectDir, 'src', 'cli', 'main.ts'), 'utf8');
  const commands = found(/^ {2}'?([a-z-]+)'?: \{$/gm, main);
  for (const command of found(/npx viaduct ([a-z][a-z-]*)/g)) assert.ok(commands.includes(command), command);
});
