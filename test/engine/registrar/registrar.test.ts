import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Reply } from '../../../src/engine/api.ts';
import { Domains } from '../../../src/engine/domains.ts';
import { Gruus, type Named } from '../../../src/engine/registrar/gruus.ts';
import { type Here, Registrar } from '../../../src/engine/registrar/registrar.ts';
import type { Field } from '../../../src/message/build.ts';
import { canonicalAor } from '../../../src/message/uri.ts';
import type { Binding, Flow } from '../../../src/ports.ts';
import { defaultLimits } from '../../../src/registrar/register.ts';
import { createClock, type VirtualClock } from '../../support/clock.ts';
import { flowOf, type RequestParts, requestOf } from '../../support/fake-proxy.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../../support/memory-stores.ts';
import { bobsBinding } from '../records.ts';

const graceMs = 10_000;
const aor = 'sip:bob@example.com';
const everythingIsOpen: Here = { reach: ({ flowId }) => ({ flowId }), ours: () => undefined };
const secret = '5f'.repeat(32);

interface Office {
  readonly clock: VirtualClock;
  readonly database: MemoryDatabase;
  readonly registrar: Registrar;
  /** `key → flow` of each binding that came by a flow. */
  readonly moved: string[];
  /** Addresses of which bindings went with their connection. */
  readonly dropped: string[];
}

function create(limits = defaultLimits): Office {
  const clock = createClock();
  const database = createMemoryDatabase(clock);
  const moved: string[] = [];
  const dropped: string[] = [];
  const gruus = new Gruus(new Domains(['example.com'], []), [secret]);
  const options = { node: 'n1', boot: 'b00700', graceMs, limits, toAor: canonicalAor, gruus };
  const registrar = new Registrar(database.location, clock, options, {
    moved: ({ key }, flow) => void moved.push(`${key} → ${flow.id}`),
    registered: () => undefined,
    dropped: (gone) => void dropped.push(gone),
  });
  return { clock, database, registrar, moved, dropped };
}

interface Registration extends RequestParts {
  readonly contact?: string;
}

/** A REGISTER of bob by this flow. */
function register({ registrar }: Office, flow: Flow, { contact = '<sip:bob@192.0.2.2>', ...parts }: Registration = {}) {
  const headers: readonly Field[] = [['Contact', contact], ...(parts.headers ?? [])];
  const bob = { method: 'REGISTER', uri: 'sip:example.com', from: aor, to: aor };
  return registrar.register(requestOf({ ...bob, flow, ...parts, headers }));
}

const wss = (port: number): Flow => flowOf('wss', '192.0.2.2', port);
const instance = '<sip:x@y.invalid;transport=ws>;+sip.instance="<urn:uuid:1>";reg-id=1';
const instanceKey = '<urn:uuid:1>;reg-id=1';

function named(reply: Reply, name: string): readonly string[] {
  return (reply.headers ?? []).filter(([own]) => own === name).map(([, text]) => text);
}

const account = (aor: string): Named => ({ aor, gruu: undefined });

const flowIds = ({ database }: Office): readonly (string | undefined)[] =>
  database.rows.bindings().map(({ flowId }) => flowId);

describe('RFC 3261 §10.3: REGISTER', () => {
  test('law 5: the 200 comes after the row is committed, with the contact and its time', async () => {
    const office = create();
    office.database.set({ latencyMs: 50 });
    const replies: Reply[] = [];
    register(office, flowOf(), { headers: [['Expires', '600']] }).then((reply) => replies.push(reply));
    await office.clock.advance(49);
    assert.equal(replies.length, 0);
    await office.clock.advance(2);
    const [reply] = replies;
    assert.ok(reply !== undefined);
    assert.equal(reply.status, 200);
    assert.deepEqual(named(reply, 'Contact'), ['<sip:bob@192.0.2.2>;expires=600']);
    assert.equal(office.database.rows.bindings().length, 1);
  });

  test('law 5: with the database down there is no 200', async () => {
    const office = create();
    office.database.set({ down: true });
    await assert.rejects(register(office, flowOf()), { code: 'database-down' });
    assert.deepEqual(office.moved, []);
    assert.equal(office.registrar.bindingOf(flowOf()), undefined);
  });

  test('without Contact it asks for the bindings and changes nothing', async () => {
    const office = create();
    await register(office, flowOf());
    const asked = await office.registrar.register(requestOf({ method: 'REGISTER', to: aor }));
    assert.deepEqual(named(asked, 'Contact'), ['<sip:bob@192.0.2.2>;expires=3600']);
  });

  test('what the plan refuses is the answer, with its headers', async () => {
    const brief = await register(create(), flowOf(), { headers: [['Expires', '5']] });
    assert.deepEqual([brief.status, brief.code, named(brief, 'Min-Expires')], [423, 'interval-too-brief', ['60']]);
  });

  test('step 7: an older REGISTER that comes later changes nothing', async () => {
    const office = create();
    await register(office, flowOf(), { cseq: 2 });
    const late = await register(office, flowOf(), { cseq: 1, headers: [['Expires', '0']] });
    assert.deepEqual([late.status, late.code], [500, 'register-out-of-order']);
    assert.equal(office.database.rows.bindings().length, 1);
  });

  test('RFC 3608 §6: only a client behind a proxy is told our Service-Route', async () => {
    const office = create();
    assert.deepEqual(named(await register(office, flowOf()), 'Service-Route'), []);
    const path: Field = ['Path', '<sip:edge.example.com;lr>'];
    const behind = await register(office, flowOf(), { cseq: 2, headers: [path] });
    assert.deepEqual(named(behind, 'Service-Route'), ['<sip:192.0.2.100:5060;lr>']);
  });
});

describe('DESIGN law 4: the flow of a binding', () => {
  test('a client on a connection is kept with its flow', async () => {
    const office = create();
    await register(office, wss(40_000));
    assert.deepEqual(flowIds(office), [wss(40_000).id]);
  });

  test('a UDP client is, if NATDETECT or its Contact says so; another one is called at its Contact', async () => {
    const flow = flowOf();
    const cases: readonly (readonly [Registration, string | undefined])[] = [
      [{}, undefined],
      [{ reachByFlow: true }, flow.id],
      [{ contact: '<sip:bob@192.0.2.2;ob>' }, flow.id],
      [{ contact: instance }, flow.id],
    ];
    for (const [parts, flowId] of cases) {
      const office = create();
      await register(office, flow, parts);
      assert.deepEqual(flowIds(office), [flowId], JSON.stringify(parts));
    }
  });

  test('the device behind a flow is known from its registration on', async () => {
    const office = create();
    assert.equal(office.registrar.bindingOf(wss(40_000)), undefined);
    await register(office, wss(40_000), { contact: instance });
    assert.deepEqual(office.registrar.bindingOf(wss(40_000)), { aor, key: instanceKey });
    assert.equal(office.registrar.bindingOf(wss(40_001)), undefined);
  });

  test('a registration says where its device is now, so that its dialogs follow', async () => {
    const office = create();
    await register(office, wss(40_000), { contact: instance });
    await register(office, wss(40_001), { contact: instance, cseq: 2 });
    assert.deepEqual(office.moved, [`${instanceKey} → ${wss(40_000).id}`, `${instanceKey} → ${wss(40_001).id}`]);
  });

  test('one that removes its contact, or is not reached by flow, moves nothing', async () => {
    const office = create();
    await register(office, flowOf());
    await register(office, wss(40_000), { cseq: 2, headers: [['Expires', '0']] });
    assert.deepEqual(office.moved, []);
  });
});

describe('DESIGN §5: a closed connection', () => {
  const closed = (office: Office, flow: Flow): readonly unknown[] => {
    const failures: unknown[] = [];
    office.registrar.closed(flow, (thrown) => failures.push(thrown));
    return failures;
  };

  test('its bindings go after the grace time, not before', async () => {
    const office = create();
    await register(office, wss(40_000));
    closed(office, wss(40_000));
    assert.equal(office.registrar.bindingOf(wss(40_000)), undefined, 'as a flow it is dead at once');
    await office.clock.advance(graceMs - 1);
    assert.equal(flowIds(office).length, 1);
    await office.clock.advance(1);
    assert.deepEqual(flowIds(office), []);
  });

  test('until then they are known to be gone, for lists and numbers', async () => {
    const office = create();
    await register(office, wss(40_000));
    await register(office, flowOf(), { contact: '<sip:desk@192.0.2.3>' });
    closed(office, wss(40_000));
    const isGone = (): readonly boolean[] => office.database.rows.bindings().map((one) => office.registrar.isGone(one));
    assert.deepEqual([isGone(), office.registrar.goneCount], [[true, false], 1]);
    await office.clock.advance(graceMs);
    assert.equal(office.registrar.goneCount, 0);
  });

  test('a PBX registers several accounts over one connection: each is known, and each goes with it', async () => {
    const office = create();
    const extensions = ['sip:bob@example.com', 'sip:carol@example.com'];
    const pbx = wss(40_000);
    for (const from of extensions) {
      await register(office, pbx, { from, to: from, contact: instance, callId: from });
    }
    const known = extensions.map((from) => office.registrar.bindingOf(pbx, from)?.aor);
    assert.deepEqual(
      [known, office.registrar.bindingOf(pbx, 'sip:dave@example.com')?.aor],
      [extensions, extensions[1]],
    );
    closed(office, pbx);
    const bindings = office.database.rows.bindings();
    assert.deepEqual(
      bindings.map((one) => office.registrar.isGone(one)),
      [true, true],
    );
    await office.clock.advance(graceMs);
    assert.deepEqual([office.dropped, flowIds(office)], [extensions, []]);
  });

  test('law 9: they do not count for the number of contacts', async () => {
    const office = create({ ...defaultLimits, maxContacts: 2 });
    for (const port of [40_000, 40_001, 40_002, 40_003]) {
      const contact = `<sip:${port}@x.invalid;transport=ws>`;
      assert.equal((await register(office, wss(port), { contact, callId: `reload-${port}` })).status, 200);
      closed(office, wss(port));
    }
    for (const port of [40_004, 40_005]) await register(office, wss(port), { contact: `<sip:${port}@x.invalid>` });
    const third = await register(office, wss(40_006), { contact: '<sip:third@x.invalid>' });
    assert.deepEqual([third.status, third.code], [403, 'too-many-contacts']);
  });

  test('the binding of a client that came back within that time stays', async () => {
    const office = create();
    await register(office, wss(40_000), { contact: instance });
    closed(office, wss(40_000));
    await office.clock.advance(5000);
    await register(office, wss(40_001), { contact: instance, cseq: 2 });
    await office.clock.advance(60_000);
    assert.deepEqual(flowIds(office), [wss(40_001).id]);
  });

  test('a connection that nobody registered over costs no statement and no timer', () => {
    const office = create();
    closed(office, wss(40_000));
    assert.equal(office.clock.pending(), 0);
  });

  test('a database that is down then is reported, and ends nothing', async () => {
    const office = create();
    await register(office, wss(40_000));
    office.database.set({ down: true });
    const failures = closed(office, wss(40_000));
    await office.clock.advance(graceMs);
    assert.match(String(failures[0]), /database/);
    office.database.set({ down: false });
    await office.clock.advance(5000);
    assert.deepEqual(flowIds(office), [], 'it is asked again');
  });

  test('many that close while the database is away are reported once, however often they are tried', async () => {
    const office = create();
    const ports = [40_000, 40_001, 40_002];
    for (const port of ports)
      await register(office, wss(port), { contact: `<sip:${port}@x.invalid>`, callId: `${port}` });
    office.database.set({ down: true });
    const failures = ports.map((port) => closed(office, wss(port)));
    await office.clock.advance(graceMs + 60_000);
    assert.equal(failures.flat().length, 1);
    office.database.set({ down: false });
    await office.clock.advance(5_000);
    assert.deepEqual(flowIds(office), []);
    await register(office, wss(40_003), { callId: 'later' });
    office.database.set({ down: true });
    const later = closed(office, wss(40_003));
    await office.clock.advance(graceMs);
    assert.equal(later.length, 1, 'the next time is told again');
  });
});

describe('RFC 3261 §16.5: the contacts of an AOR as targets', () => {
  const save = async ({ database }: Office, ...bindings: readonly Partial<Binding>[]): Promise<void> => {
    for (const binding of bindings) {
      const whole = { ...bobsBinding, key: binding.contact ?? bobsBinding.contact, ...binding };
      await database.location.change({ aor: whole.aor, callId: `r ${whole.key}`, cseq: 1, save: [whole], remove: [] });
    }
  };
  const uris = async ({ registrar }: Office, here: Partial<Here>): Promise<readonly string[]> =>
    (await registrar.targets(account(aor), { ...everythingIsOpen, ...here })).map(({ uri }) => uri);

  test('flow, Path, binding and media go along', async () => {
    const office = create();
    const flowId = 'c00b007-1';
    await save(office, { flowId, path: ['<sip:edge;lr>'], media: 'webrtc' });
    assert.deepEqual(await office.registrar.targets(account(aor), everythingIsOpen), [
      {
        uri: bobsBinding.contact,
        flowId,
        route: ['sip:edge;lr'],
        binding: { aor, key: bobsBinding.key },
        media: 'webrtc',
        q: bobsBinding.q,
      },
    ]);
  });

  test('law 4: one whose connection is closed is left out', async () => {
    const office = create();
    await save(office, { contact: 'sip:a@b.invalid', flowId: 'gone' }, { contact: 'sip:c@d.invalid', flowId: 'open' });
    assert.deepEqual(await uris(office, { reach: ({ flowId }) => (flowId === 'open' ? { flowId } : undefined) }), [
      'sip:c@d.invalid',
    ]);
  });

  test('highest q first', async () => {
    const office = create();
    await save(office, { contact: 'sip:low@192.0.2.2', q: 0.1 }, { contact: 'sip:high@192.0.2.2', q: 0.9 });
    assert.deepEqual(await uris(office, {}), ['sip:high@192.0.2.2', 'sip:low@192.0.2.2']);
  });

  test('a contact that is an address of ours is looked up in turn, and its devices ring', async () => {
    const office = create();
    const carol = 'sip:carol@example.com';
    await save(office, { contact: carol }, { aor: carol, contact: 'sip:carol@192.0.2.3' });
    const ours = (uri: string) => (uri.endsWith('@example.com') ? account(uri) : undefined);
    assert.deepEqual(await uris(office, { ours }), ['sip:carol@192.0.2.3']);
  });

  test('law 9: addresses that lead to each other in a circle, or in a long row, come to an end', async () => {
    const office = create();
    const user = (name: string): string => `sip:${name}@example.com`;
    const ours = (uri: string) => (uri.endsWith('@example.com') ? account(uri) : undefined);
    await save(office, { contact: user('carol') }, { aor: user('carol'), contact: user('bob') });
    assert.deepEqual(await uris(office, { ours }), []);
    await save(office, { aor: user('carol'), contact: user('dave') });
    await save(office, { aor: user('dave'), contact: user('erin') }, { aor: user('erin'), contact: 'sip:e@192.0.2.9' });
    assert.deepEqual(await uris(office, { ours }), []);
  });
});
