import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readSettings } from '../../src/config.ts';
import { createDemoUsers, demoUsers } from '../../src/start/demo-users.ts';
import { newFolder } from './folder.ts';

const settingsOf = (folder: string, env: Readonly<Record<string, string>> = {}) =>
  readSettings({ DATA_DIR: folder, ...env }, { folder, asRoot: false });

const names = (folder: string, env: Readonly<Record<string, string>> = {}): readonly string[] =>
  demoUsers(settingsOf(folder, env)).map(({ username }) => username);

describe('DESIGN §6 DEMO_USERS: who gets accounts to try', () => {
  test('those that the setting names, wherever we listen', (t) => {
    const env = { DEMO_USERS: 'carol:one,dave:two', LISTEN: 'udp:0.0.0.0:5060', DATABASE_URL: 'postgres://u:p@h/d' };
    assert.deepEqual(demoUsers(settingsOf(newFolder(t), env)), [
      { username: 'carol', password: 'one' },
      { username: 'dave', password: 'two' },
    ]);
  });

  test('without it, alice and bob, on a first try on loopback', (t) => {
    assert.deepEqual(names(newFolder(t)), ['alice', 'bob']);
    assert.deepEqual(names(newFolder(t), { LISTEN: 'udp:[::1]:0 wss:127.0.0.1:0', HTTP: '[::1]:0' }), ['alice', 'bob']);
  });

  test('nobody where others can reach us, by SIP or by the pages', (t) => {
    assert.deepEqual(names(newFolder(t), { LISTEN: 'udp:127.0.0.1:0 tcp:0.0.0.0:5060' }), []);
    assert.deepEqual(names(newFolder(t), { HTTP: '0.0.0.0:8081', API_TOKEN: 'a-token-of-some-length' }), []);
  });

  test('nobody in a database that is not ours', (t) => {
    assert.deepEqual(names(newFolder(t), { DATABASE_URL: 'postgres://u:p@h/d' }), []);
  });
});

describe('their passwords', () => {
  test('are random, and the same at the next start: it prints them again', (t) => {
    const folder = newFolder(t);
    const [first, second] = [demoUsers(settingsOf(folder)), demoUsers(settingsOf(folder))];
    assert.deepEqual(first, second);
    const passwords = first.map(({ password }) => password);
    assert.ok(passwords.every((password) => /^[\w-]{8}$/.test(password)));
    assert.equal(new Set(passwords).size, 2);
    assert.notDeepEqual(demoUsers(settingsOf(newFolder(t))), first);
  });

  test('are in files that only their owner can read', (t) => {
    const folder = newFolder(t);
    demoUsers(settingsOf(folder));
    assert.deepEqual(readdirSync(folder).sort(), ['demo-password-alice', 'demo-password-bob']);
    for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  });
});

describe('making them', () => {
  /** What was done to the accounts, of which `known` exist. */
  async function done(known: readonly string[], insist: boolean): Promise<readonly string[]> {
    const story: string[] = [];
    const users = [
      { username: 'alice', password: 'one' },
      { username: 'bob', password: 'two' },
    ];
    const accounts = {
      add: async (username: string, domain: string, password: string) => {
        if (known.includes(username)) return false;
        return story.push(`add ${username}@${domain} ${password}`) > 0;
      },
      setPassword: async (username: string, _: string, password: string) =>
        story.push(`set ${username} ${password}`) > 0,
    };
    await createDemoUsers(users, 'example.com', accounts, insist);
    return story;
  }

  test('in the first domain, when they are not there yet', async () => {
    assert.deepEqual(await done([], false), ['add alice@example.com one', 'add bob@example.com two']);
  });

  test('the password that the setting names holds, also for an account that is there', async () => {
    assert.deepEqual(await done(['alice'], true), ['set alice one', 'add bob@example.com two']);
  });

  test('one of our own making leaves an account as its owner has changed it', async () => {
    assert.deepEqual(await done(['alice', 'bob'], false), []);
  });
});
