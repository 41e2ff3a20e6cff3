/** Finds a Node that runs TypeScript unbuilt: the running one if it is new enough, else the pinned one of `tools/node`. */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { captured } from './child.mjs';
import { installPackages, projectDir } from './install.mjs';
import { Stop } from './say.mjs';

const pinnedDir = join(projectDir, 'tools', 'node');

/** Type stripping without a flag came with 22.18 and 23.6. */
export function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/** The path of the program. */
export async function findNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const node = join(pinnedDir, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  const have = `Node ${process.versions.node} is here, Viaduct needs 22.18 or newer`;
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new Stop(`${have}: please install it from https://nodejs.org (there is none to fetch for this platform)`);
  }
  await installPackages(pinnedDir, 'Node 24');
  if (!existsSync(node))
    throw new Stop(`${have}, and ${node} is missing: remove tools/node/node_modules and try again`);
  const { code, output } = await captured(node, ['--version']);
  if (code !== 0) throw new Stop(`${have}, and the fetched one does not run here: ${output.trim()}`);
  return node;
}

/** Compiled code, for the next start: a third of the time of a short command. It goes when the packages are replaced. */
const compileCache = join(projectDir, 'node_modules', '.cache', 'node');

/** The environment in which `node` means that program. */
export function environmentWith(node) {
  return {
    NODE_COMPILE_CACHE: compileCache,
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
  };
}
