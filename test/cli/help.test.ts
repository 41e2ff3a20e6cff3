/** The command line as a person meets it: what `npx viaduct` prints of itself, and what it says to a slip of the finger. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { aliasHelp } from '../../src/cli/alias.ts';
import { callsHelp, ladderHelp, wordsOf } from '../../src/cli/calls.ts';
import { certificateHelp } from '../../src/cli/certificate.ts';
import { doctorHelp } from '../../src/cli/doctor.ts';
import { explainHelp } from '../../src/cli/explain.ts';
import { importHelp } from '../../src/cli/import.ts';
import { logLevelHelp, logLevelHere } from '../../src/cli/log-level.ts';
import { reloadHelp, reloadHere } from '../../src/cli/reload.ts';
import { sessionHelp, sessionHere } from '../../src/cli/session.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { userHelp } from '../../src/cli/user.ts';

const projectDir = join(import.meta.dirname, '..', '..');

function viaduct(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/cli/main.ts', ...args], {
    cwd: projectDir,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, DATA_DIR: '/nonexistent' },
  });
  return { status, stdout, stderr };
}

const overview = viaduct('help').stdout;
const names = [...overview.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name ?? '');

test('the list names every command once, those for a call that failed first', () => {
  assert.deepEqual(names.slice(0, 2), ['explain', 'ladder']);
  assert.equal(new Set(names).size, names.length);
  assert.equal(names.length, 14);
});

test('no help is wider than a terminal of 80 columns', () => {
  const helps = [overview, viaduct('help', 'settings').stdout, userHelp, aliasHelp, sessionHelp, certificateHelp];
  const others = [importHelp, callsHelp, ladderHelp, explainHelp, doctorHelp, logLevelHelp, reloadHelp];
  for (const help of [...helps, ...others]) {
    for (const line of help.split('\n')) assert.ok(line.length <= 80, line);
  }
  assert.equal(viaduct('user', '--help').stdout, userHelp);
});

test('a slip of the finger: the reason, where the help is, exit code 2, and nothing on standard output', () => {
  const slips = {
    'explain --spd': "Unknown option '--spd'.",
    'user frob': 'There is no command "user frob".',
    'user set bob --calls -1': "Option '--calls' argument is ambiguous.",
    'start now': '"now" is one word too many.',
    'start --debug': "Unknown option '--debug'.",
    'calls faild': 'There is no state "faild": write one of ringing, answered, ended, failed.',
    'calls --since yesterday': '"yesterday" is no time; it looks like 2026-01-31 or 2026-01-31T18:00:00Z.',
  };
  for (const [line, reason] of Object.entries(slips)) {
    const args = line.split(' ');
    const words = `${reason}\nHow it is used: npx viaduct help ${args[0]}\n`;
    assert.deepEqual(viaduct(...args), { status: 2, stdout: '', stderr: words }, line);
  }
});

test('a command that does not exist is answered with where those are that do', () => {
  const stderr = 'There is no command "explian".\nThose that there are: npx viaduct help\n';
  assert.deepEqual(viaduct('explian'), { status: 2, stdout: '', stderr });
});

test('help of one setting, as it stands among all; a setting that does not exist is answered with where those are', () => {
  const { status, stdout } = viaduct('help', 'MAX_CALLS');
  assert.equal(status, 0);
  assert.match(stdout, /\n\nMAX_CALLS \(calls\)\n[\s\S]*default: 0\n {4}example: 4\n$/);
  assert.ok(viaduct('help', 'settings').stdout.includes(stdout.slice(stdout.indexOf('MAX_CALLS'))));
  const stderr = 'There is no setting "MAX_CALL".\nThose that there are: npx viaduct help settings\n';
  assert.deepEqual(viaduct('help', 'MAX_CALL'), { status: 2, stdout: '', stderr });
});

test('a word too many, or an option of another command, was meant otherwise: nobody is asked', async () => {
  const tooMany = (word: string) => new UsageError(`"${word}" is one word too many.`);
  assert.throws(() => wordsOf('ladder', ['one', 'two']), tooMany('two'));
  assert.throws(() => wordsOf('calls', ['failed', 'today']), tooMany('today'));
  assert.throws(() => wordsOf('calls', ['export', 'failed', 'today']), tooMany('today'));
  assert.throws(() => wordsOf('doctor', ['now']), tooMany('now'));
  assert.throws(() => wordsOf('doctor', ['--sdp']), new UsageError("Unknown option '--sdp'."));
  await assert.rejects(reloadHere(['now']), tooMany('now'));
  await assert.rejects(reloadHere(['--dry-run']), new UsageError("Unknown option '--dry-run'."));
  await assert.rejects(logLevelHere(['info', 'now']), tooMany('now'));
  await assert.rejects(sessionHere(['alice', 'bob']), tooMany('bob'));
  await assert.rejects(sessionHere(['alice', '--minuets', '5']), new UsageError("Unknown option '--minuets'."));
  await assert.rejects(sessionHere(['end']), new UsageError('Which session? Its id is missing.'));
});

test('session and import alone show their help, as user and alias do', () => {
  for (const [name, stdout] of Object.entries({ session: sessionHelp, import: importHelp })) {
    assert.deepEqual(viaduct(name), { status: 0, stdout, stderr: '' });
  }
});

test('a reader that has enough, as head has, ends a command without a stack: code 141, as of any program', () => {
  const line = 'set -o pipefail; "$0" src/cli/main.ts help settings | true; echo $?';
  const { stdout, stderr } = spawnSync('bash', ['-c', line, process.execPath], { cwd: projectDir, encoding: 'utf8' });
  assert.deepEqual({ stdout, stderr }, { stdout: '141\n', stderr: '' });
});
