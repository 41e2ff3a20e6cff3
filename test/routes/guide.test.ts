/**
 * The worked examples of routes/README.md, exactly as they stand there: each is applied to a copy of the routes, compiled
 * by the strict compiler of the project, and played.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { unanswered } from '../../routes/forwarding.ts';
import { routes } from '../../routes/routes.ts';
import type { Routes } from '../../src/engine/api.ts';
import { values } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { textHeader } from '../../src/message/headers/text.ts';
import type { SipRequest } from '../../src/message/message.ts';
import type { Agent } from '../support/agent.ts';
import {
  createProxyScene,
  type ProxyScene,
  type ProxySceneOptions,
  passwordOf,
  sdpType,
} from '../support/proxy-scene.ts';
import { phoneAnswer, phoneOffer } from '../support/sdp.ts';

const Diversion = textHeader('Diversion', true);

const project = join(import.meta.dirname, '../..');

interface Block {
  readonly language: 'ts' | 'diff';
  readonly path: string;
  readonly text: string;
}

/** The blocks of each example that name a file, by the number in its heading. */
function examplesOf(guide: string): ReadonlyMap<string, readonly Block[]> {
  const sections = guide.split(/^## (?=\d\. )/m).slice(1);
  return new Map(
    sections.map((section) => {
      const found = section.matchAll(/^```(ts|diff) (\S+)\n(.*?)^```$/gms);
      const blocks = [...found].map(([, language, path = '', text = '']): Block => {
        return { language: language === 'ts' ? 'ts' : 'diff', path, text };
      });
      return [section.slice(0, 1), blocks];
    }),
  );
}

/**
 * The file with this change, which names the lines around it. Who has followed the guide has some of them in his own routes
 * already, and other lines between them; this is then what he would do by hand.
 */
function changed(file: string, change: string): string {
  const lines = change.trimEnd().split('\n');
  const side = (mark: '+' | '-'): string =>
    lines.flatMap((line) => (line.startsWith(mark) || line.startsWith(' ') ? [`${line.slice(1)}\n`] : [])).join('');
  const added = lines.flatMap((line) => (line.startsWith('+') ? [`${line.slice(1)}\n`] : [])).join('');
  if (file.includes(added)) return file;
  if (file.split(side('-')).length === 2) return file.replace(side('-'), () => side('+'));
  const first = lines.findIndex((line) => line.startsWith('+'));
  const before = `${lines[first - 1]?.slice(1)}\n`;
  assert.equal(
    file.split(before).length,
    2,
    `this line is in the file, once, so that others may follow it:\n${before}`,
  );
  return file.replace(before, () => `${lines[first - 1]?.startsWith('-') ? '' : before}${added}`);
}

let folder = '';
const routesOf = new Map<string, Routes>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'viaduct-guide-'));
  for (const [number, blocks] of examplesOf(await readFile(join(project, 'routes/README.md'), 'utf8'))) {
    await write(join(folder, number), blocks);
  }
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  const config = { extends: join(project, 'tsconfig.json'), include: ['*/routes'], compilerOptions: { noEmit: true } };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await promisify(execFile)(process.execPath, [join(project, 'node_modules/typescript/bin/tsc'), '-p', folder]).catch(
    ({ stdout }: { readonly stdout: string }) => assert.fail(`the examples do not compile:\n${stdout}`),
  );
});

after(() => rm(folder, { recursive: true, force: true }));

async function write(place: string, blocks: readonly Block[]): Promise<void> {
  await cp(join(project, 'routes'), join(place, 'routes'), {
    recursive: true,
    filter: (path) => !path.endsWith('/http'),
  });
  await symlink(join(project, 'src'), join(place, 'src'));
  for (const { language, path, text } of blocks) {
    const file = join(place, path);
    await writeFile(file, language === 'ts' ? text : changed(await readFile(file, 'utf8'), text));
  }
}

async function loaded(number: string): Promise<Routes> {
  const known = routesOf.get(number);
  if (known !== undefined) return known;
  const module: { readonly routes: Routes } = await import(
    pathToFileURL(join(folder, number, 'routes/routes.ts')).href
  );
  routesOf.set(number, module.routes);
  return module.routes;
}

// --- played ----------------------------------------------------------------------------------------------------------

const names = { addresses: { 'trunk.example.net': ['203.0.113.9'] } };
const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

async function play(
  number: string,
  users: readonly string[],
  script: (it: ProxyScene, caller: Agent) => Promise<void>,
  options: Partial<ProxySceneOptions> = {},
): Promise<void> {
  const columns = ['caller', 'proxy', ...users, 'trunk'];
  const it = createProxyScene({ columns, users, names, routes: await loaded(number), ...options });
  await it.play(() => script(it, it.agent({ name: 'caller', address: '192.0.2.100' })));
}

const calls = (caller: Agent, uri: string): SipRequest => caller.request('INVITE', uri, sdp(phoneOffer(caller.name)));

async function isRefused(caller: Agent, invite: SipRequest, status: number): Promise<void> {
  caller.ack(invite, await caller.receivesResponse(status));
}

async function takes(it: ProxyScene, caller: Agent, invite: SipRequest, callee: Agent): Promise<SipRequest> {
  const received = await callee.receivesRequest('INVITE');
  const dialog = callee.dialog(received, callee.respond(received, 200, sdp(phoneAnswer(callee.name))));
  caller.ack(invite, await caller.receivesResponse(200));
  await callee.receivesRequest('ACK');
  await it.hangUp(callee, dialog, caller);
  return received;
}

test('the guide has six examples, each a new file and a line in the chain', async () => {
  const examples = examplesOf(await readFile(join(project, 'routes/README.md'), 'utf8'));
  assert.deepEqual([...examples.keys()], ['1', '2', '3', '4', '5', '6']);
  for (const blocks of examples.values()) {
    assert.deepEqual(
      blocks.map(({ language }) => language),
      ['ts', 'diff', 'diff'],
    );
  }
});

test('example 1: alice dials +4930123456, and the trunk gets the call', () =>
  play(
    '1',
    ['alice'],
    async (it) => {
      const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
      const trunk = it.agent({ name: 'trunk', address: '203.0.113.9' });
      const first = calls(alice, 'sip:+4930123456@example.com');
      const challenge = await alice.receivesResponse(407);
      alice.ack(first, challenge);
      const invite = alice.login(first, challenge, 'alice', passwordOf('alice'));
      const received = await takes(it, alice, invite, trunk);
      assert.equal(received.uri, 'sip:+4930123456@trunk.example.net');
    },
    { isTrusted: (address) => address === '203.0.113.9' },
  ));

test('example 1: a stranger does not telephone at our expense: there is no such account', () =>
  play('1', ['alice'], async (_, caller) => {
    await isRefused(caller, calls(caller, 'sip:+4930123456@example.com'), 404);
  }));

for (const [when, startMs, who] of [
  ['Thursday, 8:00 in Berlin', Date.UTC(2026, 0, 1, 7), 'reception'],
  ['Thursday, 18:00 in Berlin', Date.UTC(2026, 0, 1, 17), 'watchman'],
  ['a summer Friday, 17:59 in Berlin', Date.UTC(2026, 6, 3, 15, 59), 'reception'],
  ['Saturday, 12:00', Date.UTC(2026, 0, 3, 11), 'watchman'],
] as const) {
  test(`example 2: ${when}: ${who} has the call`, () =>
    play(
      '2',
      ['reception', 'watchman'],
      async (it, caller) => {
        const reception = await it.registered({ name: 'reception', address: '192.0.2.1' });
        const watchman = await it.registered({ name: 'watchman', address: '192.0.2.2' });
        // As many telephones write it.
        const invite = calls(caller, `${reception.aor};transport=udp`);
        await takes(it, caller, invite, who === 'reception' ? reception : watchman);
        assert.deepEqual([...reception.inbox, ...watchman.inbox], []);
      },
      { startMs },
    ));
}

test('example 3: mallory is declined, and her call does not ring; everybody else’s does', () =>
  play('3', ['bob'], async (it, caller) => {
    const bob = await it.registered({ name: 'bob', address: '192.0.2.1' });
    const mallory = it.agent({ name: 'mallory', address: '192.0.2.66' });
    await isRefused(mallory, calls(mallory, bob.aor), 603);
    await bob.receivesNothing();
    await takes(it, caller, calls(caller, bob.aor), bob);
  }));

test('example 4: alice rings for ten seconds, then bob does, and answers', () =>
  play('4', ['alice', 'bob'], async (it, caller) => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const invite = calls(caller, 'sip:support@example.com;transport=udp');
    const atAlice = await alice.receivesRequest('INVITE');
    alice.respond(atAlice, 180);
    await caller.receivesResponse(180);
    await it.clock.advance(9_900);
    assert.deepEqual(bob.inbox, []);
    alice.respond(await alice.receivesRequest('CANCEL', 200), 200);
    alice.respond(atAlice, 487);
    await alice.receivesRequest('ACK');
    await takes(it, caller, invite, bob);
  }));

test('example 4: nobody of the group is there: 480', () =>
  play('4', ['alice', 'bob'], async (_, caller) => {
    await isRefused(caller, calls(caller, 'sip:support@example.com'), 480);
  }));

test('example 5: the porter does not want to be disturbed: 112 rings him all the same, and nothing else does', () =>
  play('5', ['porter'], async (it, caller) => {
    const porter = await it.registered({ name: 'porter', address: '192.0.2.1' });
    it.database.setCalls('porter', 'example.com', { doNotDisturb: true });
    await isRefused(caller, calls(caller, porter.aor), 480);
    await takes(it, caller, calls(caller, 'sip:112@example.com'), porter);
  }));

test('example 5: the porter is not there: 112 goes to the provider', () =>
  play('5', ['porter'], async (it, caller) => {
    const trunk = it.agent({ name: 'trunk', address: '203.0.113.9' });
    const invite = calls(caller, 'sip:112@example.com');
    await takes(it, caller, invite, trunk);
  }));

/** Bob's telephone sends the caller elsewhere. */
async function redirects(bob: Agent, ...contacts: readonly string[]): Promise<void> {
  bob.respond(await bob.receivesRequest('INVITE'), 302, {
    contact: false,
    headers: contacts.map((uri) => ['Contact', `<${uri}>`] as const),
  });
  await bob.receivesRequest('ACK');
}

test('example 6: RFC 3261 §16.7 step 4: bob’s telephone says 302 to carol: she rings, and knows whose call it was', () =>
  play('6', ['bob', 'carol'], async (it, caller) => {
    const bob = await it.registered({ name: 'bob', address: '192.0.2.1' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.2' });
    const invite = calls(caller, bob.aor);
    await redirects(bob, carol.aor);
    await caller.receivesResponse(181);
    const received = await takes(it, caller, invite, carol);
    assert.deepEqual(values(received, Diversion), ['<sip:bob@example.com>;reason=deflection;counter=1']);
  }));

test('example 6: RFC 3261 §16.7 step 4: the contact that was followed is not heard of again: carol is busy, 486', () =>
  play('6', ['bob', 'carol'], async (it, caller) => {
    const bob = await it.registered({ name: 'bob', address: '192.0.2.1' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.2' });
    const invite = calls(caller, bob.aor);
    await redirects(bob, carol.aor);
    carol.respond(await carol.receivesRequest('INVITE'), 486);
    await carol.receivesRequest('ACK');
    await isRefused(caller, invite, 486);
  }));

test('example 6: one of ours and one who is not: carol is tried, and the caller gets the 302 with the other', () =>
  play('6', ['bob', 'carol'], async (it, caller) => {
    const bob = await it.registered({ name: 'bob', address: '192.0.2.1' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.2' });
    const invite = calls(caller, bob.aor);
    await redirects(bob, carol.aor, 'sip:bob@elsewhere.example.net');
    carol.respond(await carol.receivesRequest('INVITE'), 486);
    await carol.receivesRequest('ACK');
    const final = await caller.receivesResponse(302);
    assert.deepEqual(values(final, Contact), ['<sip:bob@elsewhere.example.net>']);
    caller.ack(invite, final);
  }));

test('example 6: RFC 3261 §20.10: of two contacts the one with the higher q is tried first, then the other', () =>
  play('6', ['bob', 'carol', 'dave'], async (it, caller) => {
    const bob = await it.registered({ name: 'bob', address: '192.0.2.1' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.2' });
    const dave = await it.registered({ name: 'dave', address: '192.0.2.3' });
    const invite = calls(caller, bob.aor);
    const headers = [['Contact', `<${carol.aor}>;q=0.2, <${dave.aor}>;q=0.9`]] as const;
    bob.respond(await bob.receivesRequest('INVITE'), 302, { contact: false, headers });
    await bob.receivesRequest('ACK');
    dave.respond(await dave.receivesRequest('INVITE'), 486);
    await dave.receivesRequest('ACK');
    await takes(it, caller, invite, carol);
  }));

test('example 6: RFC 3261 §16.5: nobody is called twice: of two telephones that name each other the second 302 goes to the caller', () =>
  play('6', ['bob', 'carol'], async (it, caller) => {
    const bob = await it.registered({ name: 'bob', address: '192.0.2.1' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.2' });
    const invite = calls(caller, bob.aor);
    await redirects(bob, carol.aor);
    await redirects(carol, bob.aor);
    const final = await caller.receivesFinal('INVITE');
    caller.ack(invite, final);
    assert.equal(final.status, 302);
    await bob.receivesNothing();
  }));

test('RFC 3261 §16.7 step 4: without the example a 302 goes to the caller as it is', async () => {
  // Also where failure.ts has it already.
  const without: Routes = { ...routes, failure: unanswered };
  const columns = ['caller', 'proxy', 'bob', 'carol'];
  const it = createProxyScene({ columns, users: ['bob', 'carol'], routes: without });
  await it.play(async () => {
    const caller = it.agent({ name: 'caller', address: '192.0.2.100' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.1' });
    const carol = await it.registered({ name: 'carol', address: '192.0.2.2' });
    const invite = calls(caller, bob.aor);
    await redirects(bob, carol.aor);
    await isRefused(caller, invite, 302);
    await carol.receivesNothing();
  });
});
