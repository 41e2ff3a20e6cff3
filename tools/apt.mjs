/**
 * Debian packages that a command needs: installed when we may (root, or sudo without a password), else named together
 * with what to run.
 *
 * Services are not started by the installation, because Debian's rtpengine would run its own daemon on ports 2223-2225:
 * `policy-rc.d` is the switch that Debian has for that, and it is put back as it was.
 */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { captured } from './child.mjs';
import { lastLines, Stop, say } from './say.mjs';

const programs = {
  'rtpengine-daemon': () => onPath('rtpengine'),
  'sip-tester': () => onPath('sipp'),
  postgresql: () => onPath('postgres') || serverBinaries(),
  chromium: () => onPath('chromium') || onPath('chromium-browser'),
  'baresip-core': () => onPath('baresip'),
  debootstrap: () => onPath('debootstrap'),
};

export function missingPackages(names) {
  return names.filter((name) => !programs[name]());
}

/** The line that a person runs instead of us. */
export function aptCommand(names) {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}`;
}

/** Installs what is missing of `names`, or stops and names it. */
export async function needPackages(names) {
  const problem = await installMissing(names);
  if (problem !== undefined) throw new Stop(`${problem.text}\n  Please run: ${aptCommand(problem.missing)}`);
}

/** Installs what is missing of `names` if it can; otherwise says what will not work, and goes on. */
export async function wantPackages(names, without) {
  const problem = await installMissing(names);
  if (problem !== undefined)
    say(`${problem.text}\n  ${without}\n  To change that, run: ${aptCommand(problem.missing)}`);
}

async function installMissing(names) {
  const missing = missingPackages(names);
  if (missing.length === 0) return undefined;
  const text = `missing: ${missing.join(', ')}`;
  const asRoot = await rootShell();
  if (asRoot === undefined) return { missing, text: `${text}; only root can install packages.` };
  say(`installing ${missing.join(', ')} with apt-get (a minute or so, once) ...`);
  const { code, output } = await captured(asRoot[0], [
    ...asRoot.slice(1),
    installScript,
    'sh',
    '/usr/sbin/policy-rc.d',
    ...missing,
  ]);
  const left = missingPackages(names);
  if (left.length === 0) return undefined;
  return {
    missing: left,
    text: `could not install ${left.join(', ')}: apt-get ended with ${code}.\n${lastLines(output)}`,
  };
}

/** How to run a shell as root without being asked for a password; `undefined` when we may not, or there is no apt. */
async function rootShell() {
  if (!onPath('apt-get')) return undefined;
  if (process.getuid() === 0) return ['sh', '-c'];
  if (!onPath('sudo')) return undefined;
  const { code } = await captured('sudo', ['-n', 'true']);
  return code === 0 ? ['sudo', '-n', 'sh', '-c'] : undefined;
}

// Its arguments: the path of policy-rc.d, and the packages. The `saved` file is left over when an earlier run was killed here: then it is the original.
export const installScript = `
policy=$1 saved=$1.before-viaduct
shift
exec 9>/run/viaduct-apt.lock && flock 9
put_back() {
  if [ -e "$saved" ]; then mv -f "$saved" "$policy"; else rm -f "$policy"; fi
}
trap put_back EXIT
trap 'exit 130' INT TERM HUP
if [ -e "$policy" ] && [ ! -e "$saved" ] && ! grep -q 'made by viaduct' "$policy"; then cp -p "$policy" "$saved"; fi
printf '#!/bin/sh\\n# made by viaduct: packages are installed, services are not started\\nexit 101\\n' >"$policy.new"
chmod 755 "$policy.new" && mv -f "$policy.new" "$policy"
export DEBIAN_FRONTEND=noninteractive
options='-o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=120'
apt-get $options update && apt-get $options install -y --no-install-recommends "$@"
`;

function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin'];
  return folders.some((folder) => isProgram(join(folder, program)));
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function serverBinaries() {
  const folder = '/usr/lib/postgresql';
  return existsSync(folder) && readdirSync(folder).some((major) => isProgram(join(folder, major, 'bin', 'postgres')));
}
