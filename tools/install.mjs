/**
 * `npm ci` where it is needed: node_modules is absent, or was installed from another package-lock.json. The stamp
 * inside node_modules says from which, so that removing the folder is always a way to begin again.
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { captured } from './child.mjs';
import { locked } from './lock.mjs';
import { lastLines, Stop, say } from './say.mjs';

export const projectDir = dirname(dirname(fileURLToPath(import.meta.url)));

const whenUnreachable =
  'Check the network, or the proxy and registry that `npm config list` shows, and run the same command again.';
const unreachable =
  /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET_TIMEOUT|ENETUNREACH|EIDLETIMEOUT)\b/;

/** Installs the packages of `folder` unless they are there already. */
export async function installPackages(folder, what) {
  if (isInstalled(folder)) return;
  refuseLinked(folder);
  await locked(join(folder, '.install.lock'), `installing ${what}`, async (holding) => {
    if (!isInstalled(folder)) await install(folder, what, holding);
  });
}

/** `npm ci` empties what is there first: through a link, the packages of another folder. */
function refuseLinked(folder) {
  const modules = join(folder, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new Stop(
    `${modules} is a link, and npm would empty the folder behind it. Remove the link; then run this again.`,
  );
}

async function install(folder, what, holding) {
  say(`installing ${what} (some seconds, once) ...`);
  const npm = await captured('npm', npmArguments(folder), { cwd: folder, env: npmEnvironment(), holding });
  if (npm.code !== 0) throw new Stop(`cannot install ${what}: ${explain(npm)}`);
  const absent = leftOut(folder).join(', ');
  if (absent !== '') throw new Stop(`cannot install ${what}: ${absent} could not be fetched. ${whenUnreachable}`);
  writeFileSync(stampOf(folder), lockHash(folder));
}

export function isInstalled(folder) {
  return existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === lockHash(folder);
}

function npmArguments(folder) {
  // Package scripts stay off: none of ours needs one, and they would run with the rights of whoever says `npm start`.
  const retries = ['--fetch-retries=4', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=10000'];
  return ['ci', '--prefix', folder, '--ignore-scripts', '--include=dev', '--include=optional', '--no-fund', ...retries];
}

/** Ours without what the outer `npm run` or `npx` has put in: it would be taken for the settings of this npm. */
function npmEnvironment() {
  const inherited = /^npm_(package|lifecycle|config_(local_prefix|global|prefix|call|package|yes|omit|include))/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
}

/** What belongs here and is absent: npm says nothing when it cannot fetch an optional package. */
function leftOut(folder) {
  const { packages = {} } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, entry]) => path !== '' && isForHere(entry) && !existsSync(join(folder, path)))
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
}

function isForHere({ os = [process.platform], cpu = [process.arch], libc = ['glibc'] }) {
  return os.includes(process.platform) && cpu.includes(process.arch) && libc.includes('glibc');
}

function explain({ code, output }) {
  if (code === 127) return 'there is no npm on the PATH. On Debian and Ubuntu: apt-get install npm';
  if (!unreachable.test(output)) return `npm ci ended with ${code}.\n${lastLines(output)}`;
  return `the npm registry cannot be reached. ${whenUnreachable}\n${lastLines(output)}`;
}

function stampOf(folder) {
  return join(folder, 'node_modules', '.viaduct-stamp');
}

function lockHash(folder) {
  const hash = createHash('sha256').update(readFileSync(join(folder, 'package-lock.json')));
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`;
}
