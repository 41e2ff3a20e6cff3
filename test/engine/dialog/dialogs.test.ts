import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Reply, Target } from '../../../src/engine/api.ts';
import { Dialogs, type DialogsAround } from '../../../src/engine/dialog/dialogs.ts';
import type { TokenParty } from '../../../src/engine/dialog/tokens.ts';
import { createResponse } from '../../../src/message/build.ts';
import type { DialogRecord, Flow, Transport } from '../../../src/ports.ts';
import { createClock, settle, type VirtualClock } from '../../support/clock.ts';
import { type RequestParts, requestOf } from '../../support/fake-proxy.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../../support/memory-stores.ts';
import { createNetwork, type Station, type VirtualNetwork } from '../../support/network.ts';
import { createRandom } from '../../support/random.ts';
import { defaultListen } from '../../support/scene.ts';
import { bobsBinding, recordOf } from '../records.ts';

const graceMs = 10_000;
const binding = { aor: bobsBinding.aor, key: bobsBinding.key };

interface Office {
  readonly clock: VirtualClock;
  readonly database: MemoryDatabase;
  readonly network: VirtualNetwork;
  readonly dialogs: Dialogs;
  peer(transport: Transport, port: number): Promise<Peer>;
  /** A new process on the same database; its network has no connections. */
  restarted(): Promise<Office>;
}

interface Peer {
  readonly station: Station;
  readonly flow: Flow;
}

function create(clock = createClock(), database = createMemoryDatabase(clock), secrets = ['secret']): Office {
  const network = createNetwork({ clock, random: createRandom(1), listen: defaultListen });
  const ignore = (): void => undefined;
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const { location, dialogs: store } = database;
  const ports = { dialogs: store, location, network, clock, log };
  const alone: DialogsAround['nodes'] = {
    areMany: false,
    isOther: (node): node is string => node === undefined && false,
    isThere: () => false,
    idOf: () => undefined,
  };
  const reach: DialogsAround['reach'] = ({ flowId }) =>
    flowId === undefined || network.find(flowId) !== undefined ? { flowId } : undefined;
  const options = { node: 'n1', secrets, graceMs };
  const dialogs = new Dialogs(ports, options, {
    nodes: alone,
    reach,
    atDevice: async (at) => at,
    adopted: (record) => record,
  });
  const flows: Flow[] = [];
  network.attach({ message: (_, flow) => flows.push(flow), closed: (flow) => dialogs.closed(flow, ignore) });
  const peer = async (transport: Transport, port: number): Promise<Peer> => {
    const address = { address: '192.0.2.2', port };
    const station = network.station({ name: `${transport} ${port}`, transport, address, received: ignore });
    station.send('hello');
    await clock.advance(1);
    const flow = flows.at(-1);
    assert.ok(flow !== undefined);
    return { station, flow };
  };
  const restarted = async (): Promise<Office> => {
    const next = create(clock, database, secrets);
    await next.dialogs.load();
    return next;
  };
  return { clock, database, network, dialogs, peer, restarted };
}

const nowhere: TokenParty = {
  media: 'rtp',
  listener: 0,
  flowId: undefined,
  binding: undefined,
  target: 'sip:bob@192.0.2.2',
};

/** The token of call-1, which alice has made. */
function tokenOf({ dialogs }: Office, callee: Partial<TokenParty> = {}, caller: Partial<TokenParty> = {}): string {
  return dialogs.token(
    { callId: 'call-1', callerTag: 'alice-tag', pass: 70 },
    { ...nowhere, ...caller },
    { ...nowhere, ...callee },
  );
}

const fromAlice: RequestParts = { method: 'INFO', uri: 'sip:bob@192.0.2.2', toTag: 'bob-tag' };
const fromBob: RequestParts = { ...fromAlice, uri: 'sip:alice@192.0.2.1', fromTag: 'bob-tag', toTag: 'alice-tag' };

function follow(office: Office, parts: RequestParts): Promise<Target | Reply | undefined> {
  return office.dialogs.follow(requestOf({ token: tokenOf(office), ...parts }));
}

/** Where it goes, in words: a flow, `its URI`, a status, or `nowhere`. */
async function way(office: Office, parts: RequestParts = fromAlice): Promise<string> {
  const next = await follow(office, parts);
  if (next === undefined) return 'nowhere';
  return 'kind' in next ? `${next.status} ${next.code}` : (next.flowId ?? 'its URI');
}

const rows = ({ database }: Office): readonly DialogRecord[] => database.rows.dialogs();

describe('a request of a dialog with a record', () => {
  test('DESIGN law 4: goes to the flow of the other side, whichever of the two sends it', async () => {
    const office = create();
    const [alice, bob] = [await office.peer('wss', 40_000), await office.peer('tcp', 40_001)];
    office.dialogs.established(recordOf({ caller: { flowId: alice.flow.id }, callee: { flowId: bob.flow.id } }));
    assert.equal(await way(office, { ...fromAlice, flow: alice.flow }), bob.flow.id);
    assert.equal(await way(office, { ...fromBob, flow: bob.flow }), alice.flow.id);
  });

  test('RFC 3261 §16.12: the Request-URI stays what the sender wrote; binding and media of the other side go along', async () => {
    const office = create();
    const { flow } = await office.peer('wss', 40_000);
    office.dialogs.established(recordOf({ callee: { flowId: flow.id, binding, media: 'webrtc' } }));
    const next = await follow(office, fromAlice);
    assert.deepEqual(next, { uri: 'sip:bob@192.0.2.2', binding, media: 'webrtc', flowId: flow.id });
  });

  test('RFC 3261 §16.6 step 7: a side without a flow is reached at its URI', async () => {
    const office = create();
    office.dialogs.established(recordOf());
    assert.equal(await way(office), 'its URI');
  });

  test('DESIGN law 10: the record says where a side without a flow is, whatever the sender writes', async () => {
    const office = create();
    office.dialogs.established(recordOf());
    const elsewhere = { ...fromAlice, uri: 'sip:victim@203.0.113.9' };
    assert.deepEqual((await follow(office, elsewhere)) ?? {}, {
      uri: 'sip:bob@192.0.2.2:5060',
      binding: undefined,
      media: 'rtp',
    });
    assert.equal(await way(office, { ...fromAlice, route: ['<sip:203.0.113.9;lr>'] }), 'nowhere');
  });

  test('RFC 3261 §12.2.1.1: the route set of a dialog does not change: one that was made up leads nowhere', async () => {
    const office = create();
    const routeSet = ['sip:edge.example.net;lr', 'sip:pbx.example.net;lr'];
    office.dialogs.established(recordOf({ callee: { routeSet } }));
    const routes = routeSet.map((uri) => `<${uri}>`);
    assert.equal(await way(office, { ...fromAlice, route: routes }), 'its URI');
    for (const route of [[], routes.slice(0, 1), routes.toReversed(), [...routes, '<sip:203.0.113.9;lr>']]) {
      assert.equal(await way(office, { ...fromAlice, route }), 'nowhere', route.join());
    }
  });

  test('DESIGN §5: each pass of a call that passes twice has its record, known by its token', async () => {
    const office = create();
    const tokens = [70, 68].map((pass) =>
      office.dialogs.token({ callId: 'call-1', callerTag: 'alice-tag', pass }, nowhere, nowhere),
    );
    const targets = ['sip:edge@192.0.2.9', 'sip:bob@192.0.2.2'];
    tokens.forEach((token, index) => {
      office.dialogs.established(recordOf({ token, callee: { remoteTarget: targets[index] ?? '' } }));
    });
    await settle();
    assert.equal(rows(office).length, 2);
    for (const [index, token] of tokens.entries()) {
      const next = await follow(office, { ...fromAlice, uri: 'sip:x', token });
      assert.deepEqual(next, { uri: targets[index], binding: undefined, media: 'rtp' });
    }
  });

  test('DESIGN §5: after a BYE of ours the token is dead, for either side', async () => {
    const office = create();
    const record = recordOf({ token: tokenOf(office) });
    office.dialogs.established(record);
    office.dialogs.hungUp(record);
    office.dialogs.ended(record);
    assert.equal(await way(office), 'nowhere');
    assert.equal(await way(office, { ...fromBob, uri: 'sip:bob@192.0.2.2' }), 'nowhere');
  });

  test('DESIGN law 10: without a token, with a forged one or that of another call it goes nowhere, and nothing is noted', async () => {
    const office = create();
    office.dialogs.established(recordOf());
    const own = tokenOf(office);
    const forged = `${own.startsWith('A') ? 'B' : 'A'}${own.slice(1)}`;
    const ofAnother = office.dialogs.token({ callId: 'call-2', callerTag: 'alice-tag', pass: 70 }, nowhere, nowhere);
    const ofAnotherSecret = tokenOf(create(office.clock, office.database, ['another']));
    for (const token of ['', 'x', forged, own.slice(0, -1), ofAnother, ofAnotherSecret]) {
      assert.equal(await way(office, { ...fromAlice, token, cseq: 9 }), 'nowhere', token);
    }
    assert.equal(await office.dialogs.follow(requestOf(fromAlice)), undefined);
    assert.equal(office.dialogs.all()[0]?.caller.cseq, 1);
  });

  test('DESIGN §6 TOKEN_SECRET: a token that the old secret signed is still taken', async () => {
    const clock = createClock();
    const database = createMemoryDatabase(clock);
    const old = tokenOf(create(clock, database, ['old']));
    const office = create(clock, database, ['new', 'old']);
    assert.equal(await way(office, { ...fromAlice, token: old }), 'its URI');
  });

  test('DESIGN law 4: the other side has lost its connection: 480 while it may come back, 481 after', async () => {
    const office = create();
    await office.clock.advance(60_000);
    const { flow, station } = await office.peer('wss', 40_000);
    office.dialogs.established(recordOf({ callee: { flowId: flow.id } }));
    station.close();
    await office.clock.advance(1);
    assert.equal(await way(office), '480 flow-gone');
    await office.clock.advance(graceMs - 1);
    assert.equal(await way(office), '480 flow-gone');
    await office.clock.advance(1);
    assert.equal(await way(office), '481 no-dialog');
  });

  test('DESIGN §5: its client registered again here: the dialog follows at once, and is stored so', async () => {
    const office = create();
    const [before, after] = [await office.peer('wss', 40_000), await office.peer('wss', 40_001)];
    office.dialogs.established(recordOf({ callee: { flowId: before.flow.id, binding } }));
    assert.equal(office.dialogs.move(binding, { flowId: after.flow.id }).length, 1);
    assert.equal(office.dialogs.move(binding, { flowId: after.flow.id }).length, 0, 'it is there already');
    assert.equal(await way(office), after.flow.id);
    assert.equal(rows(office)[0]?.callee.flowId, after.flow.id);
  });

  test('DESIGN §5: another device of the same address that registers moves nothing', async () => {
    const office = create();
    const [before, after] = [await office.peer('wss', 40_000), await office.peer('wss', 40_001)];
    office.dialogs.established(recordOf({ callee: { flowId: before.flow.id, binding } }));
    assert.deepEqual(office.dialogs.move({ ...binding, key: 'sip:bob@192.0.2.99' }, { flowId: after.flow.id }), []);
    assert.equal(await way(office), before.flow.id);
  });

  test('DESIGN §5: a flow that is gone, but its binding has a new one: that is taken, and stored', async () => {
    const office = create();
    const { flow } = await office.peer('wss', 40_001);
    office.dialogs.established(recordOf({ callee: { flowId: 'c00b007-99', binding } }));
    const save = [{ ...bobsBinding, flowId: flow.id }];
    await office.database.location.change({ ...bobsBinding, save, remove: [] });
    assert.equal(await way(office), flow.id);
    await settle();
    assert.equal(rows(office)[0]?.callee.flowId, flow.id);
  });

  test('DESIGN §5: whoever sends by another connection than before is reached there from now on', async () => {
    const office = create();
    const [before, after] = [await office.peer('wss', 40_000), await office.peer('wss', 40_001)];
    office.dialogs.established(recordOf({ caller: { flowId: before.flow.id } }));
    await follow(office, { ...fromAlice, flow: after.flow });
    assert.equal(await way(office, fromBob), after.flow.id);
    assert.equal(rows(office)[0]?.caller.flowId, after.flow.id);
  });

  test('a side that is reached at its URI stays so, whatever it sends by', async () => {
    const office = create();
    const { flow } = await office.peer('tcp', 40_000);
    office.dialogs.established(recordOf());
    await follow(office, { ...fromAlice, flow });
    assert.equal(await way(office, fromBob), 'its URI');
  });
});

describe('a request of a dialog without a record: an early one, or its row is lost', () => {
  test('DESIGN §5: the token knows both flows, and the tag of its sender the direction', async () => {
    const office = create();
    const [alice, bob] = [await office.peer('wss', 40_000), await office.peer('udp', 5060)];
    const token = tokenOf(office, { flowId: bob.flow.id, media: 'rtp' }, { flowId: alice.flow.id, media: 'webrtc' });
    assert.equal(await way(office, { ...fromAlice, token }), bob.flow.id);
    assert.equal(await way(office, { ...fromBob, token }), alice.flow.id);
    const toAlice = await follow(office, { ...fromBob, token });
    assert.deepEqual(toAlice, { uri: 'sip:alice@192.0.2.1', media: 'webrtc', flowId: alice.flow.id });
  });

  test('DESIGN law 10: a side without a flow is reached at the URI that the token names, and at no other', async () => {
    assert.equal(await way(create()), 'its URI');
    assert.equal(await way(create(), { ...fromAlice, uri: 'sip:bob@203.0.113.9' }), 'nowhere');
    assert.equal(await way(create(), { ...fromAlice, route: ['<sip:203.0.113.9;lr>'] }), 'nowhere');
  });

  test('DESIGN law 10: a side with a binding but no flow is reached at its contact, and nowhere once that is gone', async () => {
    const office = create();
    const token = tokenOf(office, { binding });
    assert.equal(await way(office, { ...fromAlice, uri: bobsBinding.contact, token }), 'nowhere');
    await office.database.location.change({ ...bobsBinding, save: [bobsBinding], remove: [] });
    assert.equal(await way(office, { ...fromAlice, uri: bobsBinding.contact, token }), 'its URI');
    assert.equal(await way(office, { ...fromAlice, uri: 'sip:bob@203.0.113.9', token }), 'nowhere');
  });

  test('DESIGN law 10: a token is good for a day', async () => {
    const office = create();
    const token = tokenOf(office);
    await office.clock.advance(24 * 3_600_000);
    assert.equal(await way(office, { ...fromAlice, token }), 'its URI');
    await office.clock.advance(3_600_000);
    assert.equal(await way(office, { ...fromAlice, token }), 'nowhere');
  });

  test('DESIGN §5: a flow that is gone is looked up by the binding that the token names', async () => {
    const office = create();
    const { flow } = await office.peer('wss', 40_001);
    const token = tokenOf(office, { flowId: 'c00b007-99', binding });
    const save = [{ ...bobsBinding, flowId: flow.id }];
    await office.database.location.change({ ...bobsBinding, save, remove: [] });
    assert.equal(await way(office, { ...fromAlice, token }), flow.id);
  });

  test('DESIGN law 4: when that finds nothing: 480 within the grace time after the start, 481 then', async () => {
    const office = create();
    const token = tokenOf(office, { flowId: 'c00b007-99', binding });
    assert.equal(await way(office, { ...fromAlice, token }), '480 flow-gone');
    await office.clock.advance(graceMs);
    assert.equal(await way(office, { ...fromAlice, token }), '481 no-dialog');
  });
});

describe('DESIGN §5: the life of a record', () => {
  test('it is stored behind the 2xx, once however often that comes, and taken away at the end', async () => {
    const office = create();
    const record = recordOf();
    office.dialogs.established(record);
    office.dialogs.established(recordOf({ answeredAtMs: 99 }));
    await settle();
    assert.deepEqual([office.dialogs.all(), rows(office)], [[record], [record]]);
    office.dialogs.ended(record);
    await settle();
    assert.deepEqual([office.dialogs.size, rows(office)], [0, []]);
  });

  test('law 5: a slow database or none holds no answered call back', async () => {
    const office = create();
    office.database.set({ down: true });
    office.dialogs.established(recordOf());
    await settle();
    assert.equal(await way(office), 'its URI');
  });

  test('the row of a call goes with its BYE, the record with the answer to it', async () => {
    const office = create();
    office.dialogs.established(recordOf());
    assert.equal(await way(office, { ...fromAlice, method: 'BYE' }), 'its URI');
    await settle();
    assert.deepEqual([office.dialogs.size, rows(office).length], [1, 0]);
  });

  test('DESIGN law 10: a request is known to have come with a valid token, or not', async () => {
    const office = create();
    office.dialogs.established(recordOf());
    const [valid, forged] = [
      requestOf({ ...fromAlice, token: tokenOf(office) }),
      requestOf({ ...fromAlice, token: 'x' }),
    ];
    await Promise.all([valid, forged].map((request) => office.dialogs.follow(request)));
    assert.deepEqual(
      [valid, forged].map((request) => office.dialogs.hasFollowed(request)),
      [true, false],
    );
  });

  test('RFC 3261 §12.2.1.1: the highest CSeq of each side is kept, in memory', async () => {
    const office = create();
    office.dialogs.established(recordOf());
    await follow(office, { ...fromAlice, cseq: 7 });
    await follow(office, { ...fromAlice, cseq: 6 });
    await follow(office, { ...fromBob, cseq: 3 });
    const [record] = office.dialogs.all();
    assert.deepEqual([record?.caller.cseq, record?.callee.cseq], [7, 3]);
    await settle();
    assert.equal(rows(office)[0]?.caller.cseq, 1);
  });

  test('RFC 3261 §12.2.1.2: the Contact in the 2xx to a re-INVITE is the new target, and is stored', async () => {
    const office = create();
    office.dialogs.established(recordOf());
    const again = requestOf({ ...fromAlice, method: 'INVITE' });
    office.dialogs.note(again, createResponse(again.message, 200, { headers: [['Contact', '<sip:bob@192.0.2.77>']] }));
    await settle();
    assert.equal(rows(office)[0]?.callee.remoteTarget, 'sip:bob@192.0.2.77');
  });

  test('after a restart the calls of this node are known again; UDP flows are as they were, connections are gone', async () => {
    const before = create();
    const udp = await before.peer('udp', 5060);
    before.dialogs.established(recordOf({ callId: 'call-1', callee: { flowId: udp.flow.id } }));
    before.dialogs.established(recordOf({ callId: 'call-2', callee: { flowId: 'c00b007-1' } }));
    await settle();
    const after = await before.restarted();
    assert.equal(after.dialogs.size, 2);
    assert.equal(await way(after), udp.flow.id);
    const token = after.dialogs.token({ callId: 'call-2', callerTag: 'alice-tag', pass: 70 }, nowhere, nowhere);
    assert.equal(await way(after, { ...fromAlice, callId: 'call-2', token }), '480 flow-gone');
    await after.clock.advance(graceMs);
    assert.equal(await way(after, { ...fromAlice, callId: 'call-2', token }), '481 no-dialog');
  });
});
