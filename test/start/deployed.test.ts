import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsHelp } from '../../src/config.ts';
import { tasks } from '../../tools/tasks.mjs';

const projectDir = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(projectDir, path), 'utf8');
const isSetting = (name: string): boolean => new RegExp(`^${name} \\(`, 'm').test(settingsHelp());

test('the systemd unit starts a file that is there, with settings that there are, and asks for no rights', () => {
  const unit = read('systemd/viaduct.service');
  const [, script = ''] = /^ExecStart=\S+ (?:--\S+ )*(\S+)$/m.exec(unit) ?? [];
  assert.ok(existsSync(join(projectDir, script)), script);
  const names = [...(/^Environment=(.*)$/m.exec(unit)?.[1]?.matchAll(/(\w+)=/g) ?? [])].map(([, name = '']) => name);
  for (const name of names) assert.ok(name === 'NODE_ENV' || isSetting(name), name);
  for (const line of ['DynamicUser=yes', 'ProtectSystem=strict', 'NoNewPrivileges=yes', 'CapabilityBoundingSet=']) {
    assert.match(unit, new RegExp(`^${line}$`, 'm'));
  }
});

test('Node is started with the same options by npm start, by systemd and in the container', () => {
  const wanted = tasks.start.run.filter((one) => one.startsWith('--')).join(' ');
  for (const path of ['systemd/viaduct.service', 'docker/viaduct.sh']) {
    assert.match(read(path), new RegExp(`^(?:ExecStart=|exec )\\S*node ${wanted} `, 'm'), path);
  }
});

test('docker-compose.yml gives Viaduct every setting, and no other: one in .env that goes nowhere would be a riddle', () => {
  const service = read('docker-compose.yml').split('\n  viaduct:\n')[1]?.split('\n    volumes:')[0] ?? '';
  const names = [...service.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name = '']) => name);
  const settings = [...settingsHelp().matchAll(/^([A-Z_]+) \(/gm)].map(([, name = '']) => name);
  // The image has its own DATA_DIR, and MEDIA_ADDRESS is for an rtpengine of Viaduct's own.
  const wanted = settings.filter((name) => name !== 'DATA_DIR' && name !== 'MEDIA_ADDRESS');
  assert.deepEqual(names.sort(), wanted.sort());
  const ownOnly = [...service.matchAll(/^ {6}([A-Z_]+):(.*)$/gm)].filter(
    ([, name, value]) => !value?.includes(`\${${name}:-`),
  );
  const fromPorts = ['LISTEN', 'HTTP'];
  assert.deepEqual(
    ownOnly.map(([, name]) => name),
    fromPorts,
    'what .env says of it is not read',
  );
});
