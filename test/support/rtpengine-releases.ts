/**
 * The rtpengines that Viaduct is tried with, one of each Debian: 12 (10.5), 13 (12.5) and unstable (26). What this
 * machine's Debian has not, runs in a folder with that Debian, by chroot, made once and used again:
 * `viaduct/rtpengine-SUITE` below XDG_CACHE_HOME or ~/.cache, 700 MB each. `rm -rf ~/.cache/viaduct` takes them away.
 *
 * Each is a folder with a program `rtpengine`, which comes first on the PATH of a test (`binary` of what starts one).
 * The program's mounts are in a namespace of its own and end with it, so that removing the folder removes only the folder.
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findRtpengine } from '../../src/adapters/rtpengine/child.ts';

export const suites = ['bookworm', 'trixie', 'sid'] as const;
export type Suite = (typeof suites)[number];

export interface Release {
  readonly suite: Suite;
  /** As rtpengine says it: `12.5.1.31`. */
  readonly version: string;
  readonly binary: string;
  /** For PATH; `undefined`: the installed one. */
  readonly folder: string | undefined;
}

const run = promisify(execFile);
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'viaduct');

/** Makes its folder where there is none: some minutes, and only as root. */
export async function releaseOf(suite: Suite, say: (line: string) => void = () => {}): Promise<Release> {
  const installed = suite === ownSuite() ? findRtpengine() : undefined;
  const folder = installed === undefined ? await folderOf(suite, say) : undefined;
  const binary = installed ?? join(folder ?? '', 'rtpengine');
  return { suite, version: await versionOf(binary), binary, folder };
}

function ownSuite(): string | undefined {
  return /^VERSION_CODENAME=(\S+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
}

/** `Version: 26.0.1.26+0~mr26.0.1.26`, on either stream. */
async function versionOf(binary: string): Promise<string> {
  const { stdout, stderr } = await run(binary, ['--config-file=none', '--version']);
  const version = /^Version: ([\d.]+)/m.exec(`${stdout}\n${stderr}`)?.[1];
  if (version === undefined) throw new Error(`${binary} --version says no version: ${stdout}${stderr}`);
  return version;
}

// --- a folder with another Debian ------------------------------------------------------------------------------------

async function folderOf(suite: Suite, say: (line: string) => void): Promise<string> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      `rtpengine of Debian ${suite} runs by chroot, for which one has to be root: sudo npm run test:versions`,
    );
  }
  const home = join(cache, `rtpengine-${suite}`);
  if (!existsSync(join(home, 'root'))) await make(suite, home, say);
  writeProgram(join(home, 'bin'), join(home, 'root'));
  return join(home, 'bin');
}

/** Beside its place and then moved there: half a folder is never taken for a whole one. */
async function make(suite: Suite, home: string, say: (line: string) => void): Promise<void> {
  mkdirSync(home, { recursive: true });
  const part = mkdtempSync(join(home, 'part-'));
  try {
    say(`making ${home} from Debian ${suite} (some minutes, once) ...`);
    chmodSync(part, 0o755);
    const script = ['--mount', '--propagation', 'private', 'sh', '-c', makeScript, 'sh'];
    await run('unshare', [...script, suite, part, await mirror()], { maxBuffer: 64 * 1024 * 1024 });
    if (!existsSync(join(home, 'root'))) renameSync(part, join(home, 'root'));
  } catch (thrown) {
    throw new Error(`Debian ${suite} could not be put into ${home}\n${lastLines(thrown)}`);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

// A mirror may lag behind: how old its list is does not matter here, whose signature it has does. Services stay off.
const makeScript = `set -e
suite=$1 root=$2 mirror=$3
export DEBIAN_FRONTEND=noninteractive
debootstrap --variant=minbase "$suite" "$root" "$mirror" 2>&1
printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" apt-get -o Acquire::Check-Valid-Until=false update 2>&1
chroot "$root" apt-get install -y --no-install-recommends rtpengine-daemon 2>&1
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/*
`;

/** Where this machine's apt has Debian from. */
async function mirror(): Promise<string> {
  const { stdout } = await run('apt-get', ['indextargets', '--format', '$(CODENAME) $(SITE)', 'Created-By: Packages']);
  const site = stdout.split('\n').map((line) => /^(?:bookworm|trixie|forky|sid) (\S+)$/.exec(line)?.[1]);
  const found = site.find((each) => each !== undefined);
  if (found === undefined) throw new Error('apt on this machine has no mirror of Debian (apt-get indextargets).');
  return found;
}

function lastLines(thrown: unknown): string {
  const output = thrown instanceof Error && 'stdout' in thrown ? String(thrown.stdout) : '';
  return [...output.trimEnd().split('\n').slice(-10), thrown instanceof Error ? thrown.message.slice(0, 300) : ''].join(
    '\n',
  );
}

/** It sees our folder for temporary files, where tests have it record to and play from. */
function writeProgram(folder: string, root: string): void {
  const temporary = tmpdir();
  const program = `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec unshare --mount --propagation private sh -c '
  root=$1; shift
  mkdir -p "$root${temporary}" &&
  mount -t proc proc "$root/proc" &&
  mount --rbind /dev "$root/dev" &&
  mount --bind "${temporary}" "$root${temporary}" &&
  exec chroot "$root" /usr/bin/rtpengine "$@"' sh '${root}' "$@"
`;
  mkdirSync(folder, { recursive: true });
  const made = join(folder, `.rtpengine-${process.pid}`);
  writeFileSync(made, program, { mode: 0o755 });
  renameSync(made, join(folder, 'rtpengine'));
}
