/** Which test files a run has: all of the task, or what the command line names (files, folders, options of node). */
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectDir } from './install.mjs';
import { Stop } from './say.mjs';

export function testArguments({ run, folder, except }, args) {
  const options = args.filter((argument) => argument.startsWith('-'));
  const named = args.filter((argument) => !argument.startsWith('-'));
  const files = named.length > 0 ? named.flatMap(filesOf) : filesOf(folder).filter((file) => !isIn(file, except));
  if (files.length === 0) throw new Stop(`no test file in ${named.join(' ') || folder}`);
  return [...run, ...options, ...files];
}

function filesOf(path) {
  const full = join(projectDir, path);
  const kind = statSync(full, { throwIfNoEntry: false });
  if (kind === undefined) throw new Stop(`there is no ${path}`);
  return kind.isDirectory() ? testsBelow(full).map((file) => relative(projectDir, file)) : [path];
}

function testsBelow(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testsBelow(path);
    return entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

function isIn(file, folders) {
  return folders.some((folder) => file.startsWith(folder));
}
