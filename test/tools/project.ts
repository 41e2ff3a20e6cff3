/**
 * A small project with our bootstrap in it, and an npm that only pretends: it writes down how it was called, takes its
 * time, and makes the folders that the real one would.
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningProcess, type Scope, startProcess } from '../support/process.ts';

const ours = join(import.meta.dirname, '..', '..');

export interface Project {
  readonly folder: string;
  write(path: string, text: string): void;
  program(path: string, text: string): void;
  /** How npm was called, one line each. */
  npmCalls(): readonly string[];
  /** `node tools/run.mjs ...` */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): RunningProcess;
}

const pretendedNpm = `#!/bin/sh
echo "$@" >> "$CALLS"
[ -z "$NPM_SAYS" ] || { echo "$NPM_SAYS" >&2; exit 1; }
rm -rf node_modules
sleep 0.3
mkdir node_modules || exit 1
bin=node_modules/node-${process.platform}-${process.arch}/bin
case "$PWD" in */tools/node) mkdir -p $bin && ln -s '${process.execPath}' $bin/node ;; esac
echo done >> "$CALLS"
`;

export function newProject(scope: Scope): Project {
  const folder = mkdtempSync(join(tmpdir(), 'viaduct-bootstrap-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (path: string, text: string): void => writeFileSync(join(folder, path), text);
  const program = (path: string, text: string): void => {
    write(path, text);
    chmodSync(join(folder, path), 0o755);
  };
  cpSync(join(ours, 'tools'), join(folder, 'tools'), {
    recursive: true,
    filter: (path) => !path.includes('node_modules'),
  });
  write('package-lock.json', '{}');
  mkdirSync(join(folder, 'bin'));
  program('bin/npm', pretendedNpm);
  write('calls', '');
  const environment = { PATH: `${folder}/bin:${process.env.PATH}`, CALLS: join(folder, 'calls') };
  return {
    folder,
    write,
    program,
    npmCalls: () => readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n').filter(Boolean),
    run: (args, env) =>
      startProcess(scope, process.execPath, ['tools/run.mjs', ...args], {
        cwd: folder,
        env: { ...environment, ...env },
      }),
  };
}
