import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { refuseSecond, removeRunFile, writeRunFile } from '../../src/start/run-file.ts';
import { newFolder } from './folder.ts';

const http = { host: '127.0.0.1', port: 8081 };
const udp = { entry: 'udp:127.0.0.1:0', transport: 'udp', address: '127.0.0.1', port: 41_000 } as const;
const run = { http, listeners: [udp], children: { postgres: 4711 } };

/** Field 22 of `/proc/PID/stat`. */
function startTime(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function written(folder: string, content: unknown): string {
  writeFileSync(join(folder, 'run.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

test('DESIGN §3: run.json names the process, its bound ports and its children', (t) => {
  const folder = newFolder(t);
  writeRunFile(folder, run);
  const path = join(folder, 'run.json');
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
    pid: process.pid,
    startTime: startTime(process.pid),
    ...run,
  });
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('run.json is replaced whole: who is reading it never sees half of it', (t) => {
  const folder = newFolder(t);
  writeRunFile(folder, run);
  const reading = openSync(join(folder, 'run.json'), 'r');
  t.after(() => closeSync(reading));
  writeRunFile(folder, { ...run, children: {} });
  assert.deepEqual(JSON.parse(readFileSync(reading, 'utf8')).children, run.children);
  assert.deepEqual(readdirSync(folder), ['run.json']);
});

test('a second Viaduct on the same data is refused while the first one lives, with its process number', (t) => {
  const pid = process.ppid;
  const folder = written(newFolder(t), { ...run, pid, startTime: startTime(pid) });
  assert.throws(() => refuseSecond(folder), { code: 'already-running', message: new RegExp(`Process ${pid} uses`) });
});

test('the file of a process that is dead stops nobody', (t) => {
  // Above the largest number that Linux gives.
  const folder = written(newFolder(t), { ...run, pid: 4_194_305, startTime: '1' });
  refuseSecond(folder);
});

test('the file of a dead process whose number somebody else has now stops nobody', (t) => {
  const pid = process.ppid;
  refuseSecond(written(newFolder(t), { ...run, pid, startTime: `${Number(startTime(pid)) - 1}` }));
});

test('an own file, one that is garbled and none at all stop nobody', (t) => {
  const folder = newFolder(t);
  refuseSecond(folder);
  writeRunFile(folder, run);
  refuseSecond(folder);
  for (const text of ['', '{', 'null', '[]', '{"pid":"1"}', { pid: process.ppid }]) refuseSecond(written(folder, text));
});

test('it goes with the process that wrote it; twice is no error', (t) => {
  const folder = newFolder(t);
  writeRunFile(folder, run);
  removeRunFile(folder);
  removeRunFile(folder);
  assert.equal(existsSync(join(folder, 'run.json')), false);
});
