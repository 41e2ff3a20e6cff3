/** What an operator may do to the media of a call that is up, and what he is told when it cannot be done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaControls } from '../../src/engine/operations.ts';
import type { NgCommand } from '../../src/ports.ts';
import type { Agent } from '../support/agent.ts';
import { type Call, createProxyScene, type ProxyScene, type ProxySceneOptions } from '../support/proxy-scene.ts';

interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  readonly bob: Agent;
  readonly call: Call;
  readonly id: string;
  readonly controls: MediaControls;
  /** Beside offers, answers, deletes and questions. */
  readonly told: readonly NgCommand[];
}

const usual: ReadonlySet<string> = new Set(['offer', 'answer', 'delete', 'query', 'ping', 'statistics', 'list']);

function stage(script: (stage: Stage) => Promise<void>, options: Partial<ProxySceneOptions> = {}): Promise<void> {
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], canRecord: true, ...options });
  const told: NgCommand[] = [];
  it.media.set({
    refuse: (command) => {
      if (!usual.has(command.command)) told.push(command);
      return undefined;
    },
  });
  return it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const call = await it.call(alice, bob);
    const controls = it.proxy().operations;
    const [known] = (await it.proxy().operations.calls({ limit: 1 })).items;
    await script({ it, alice, bob, call, id: known?.id ?? '', controls, told });
    await it.hangUp(alice, call.caller, bob);
  });
}

test('recording starts and stops; the record and the ladder of the call say so', () =>
  stage(async ({ it, id, call, controls, told }) => {
    assert.equal((await controls.record(id, 'start'))?.recording, 'on');
    assert.equal((await controls.record(id, 'stop'))?.recording, 'off');
    assert.deepEqual(told, [
      { command: 'start recording', 'call-id': call.caller.callId },
      { command: 'stop recording', 'call-id': call.caller.callId },
    ]);
    const steps = (await it.proxy().operations.ladder(id))?.steps ?? [];
    const labels = steps.filter(({ kind }) => kind === 'media').map(({ label }) => label);
    assert.deepEqual(labels, ['Recording of the call began', 'Recording of the call ended']);
  }));

test('what holds already is done, and told once; a pause of what is not recorded is refused', () =>
  stage(async ({ it, id, controls, told }) => {
    await assert.rejects(controls.record(id, 'pause'), { code: 'not-recorded' });
    assert.equal((await controls.record(id, 'stop'))?.recording, undefined);
    assert.deepEqual(told, []);
    for (const action of ['start', 'start', 'stop', 'stop'] as const) await controls.record(id, action);
    await assert.rejects(controls.record(id, 'pause'), { code: 'not-recorded' });
    const steps = (await it.proxy().operations.ladder(id))?.steps ?? [];
    const labels = steps.filter(({ kind }) => kind === 'media').map(({ label }) => label);
    assert.deepEqual(labels, ['Recording of the call began', 'Recording of the call ended']);
  }));

test('after a restart nobody knows whether a call is recorded: what is asked is told to rtpengine', () =>
  stage(async ({ it, id, call, controls, told }) => {
    await controls.record(id, 'start');
    await it.restart();
    assert.equal((await it.proxy().operations.record(id, 'stop'))?.recording, 'off');
    assert.deepEqual(told.at(-1), { command: 'stop recording', 'call-id': call.caller.callId });
  }));

test('an rtpengine that cannot pause says so, and the recording goes on', () =>
  stage(async ({ it, id, controls }) => {
    await controls.record(id, 'start');
    await assert.rejects(controls.record(id, 'pause'), { code: 'media-unable', detail: 'Unrecognized command' });
    assert.equal((await it.proxy().operations.call(id))?.recording, 'on');
  }));

test('without RECORDING_DIR nothing is sent: rtpengine 10.5 would say ok and record nothing', () =>
  stage(
    async ({ id, controls, told }) => {
      await assert.rejects(controls.record(id, 'start'), { code: 'recording-off' });
      assert.deepEqual(told, []);
    },
    { canRecord: false },
  ));

test('RECORD_CALLS=all: each call is recorded from its answer on', () =>
  stage(
    async ({ it, id, told }) => {
      await it.clock.advance(1);
      assert.deepEqual(
        told.map(({ command }) => command),
        ['start recording'],
      );
      assert.equal((await it.proxy().operations.call(id))?.recording, 'on');
    },
    { recordsAll: true },
  ));

test('RECORD_CALLS=all without a folder: the call is not hurt, and the log says why', () =>
  stage(
    async ({ it, id }) => {
      await it.clock.advance(1);
      assert.equal((await it.proxy().operations.call(id))?.recording, undefined);
      assert.ok(it.log.some(({ level, text }) => level === 'warn' && text === 'A call is not recorded'));
    },
    { recordsAll: true, canRecord: false },
  ));

test('a sound to one side or both; blocked and let through again, media or keypad', () =>
  stage(async ({ id, call, controls, told }) => {
    const { callId, local } = call.caller;
    const [alice, bob] = [local.tag, call.callee.local.tag];
    assert.equal(await controls.play(id, 'callee', { file: '/sounds/hello.wav', times: 2 }), true);
    assert.equal(await controls.stopPlaying(id, 'both'), true);
    assert.equal(await controls.block(id, { what: 'media', of: 'caller' }, true), true);
    assert.equal(await controls.block(id, { what: 'DTMF', of: 'both' }, false), true);
    assert.deepEqual(told, [
      { command: 'play media', 'call-id': callId, 'from-tag': bob, file: '/sounds/hello.wav', 'repeat-times': 2 },
      { command: 'stop media', 'call-id': callId, 'from-tag': alice },
      { command: 'stop media', 'call-id': callId, 'from-tag': bob },
      { command: 'block media', 'call-id': callId, 'from-tag': alice, flags: ['directional'] },
      { command: 'unblock DTMF', 'call-id': callId, 'from-tag': alice, flags: ['directional'] },
      { command: 'unblock DTMF', 'call-id': callId, 'from-tag': bob, flags: ['directional'] },
    ]);
  }));

test('what is played to one side ends, too, when both are asked to hear nothing; it stands in the ladder', () =>
  stage(async ({ it, id, call, controls }) => {
    const refusal = 'Not currently playing media';
    const asked: string[] = [];
    let most = 1;
    const refuse = (command: NgCommand): 'media-refused' | undefined => {
      if (command.command !== 'stop media') return undefined;
      return asked.push(command['from-tag'] ?? '') > most ? undefined : 'media-refused';
    };
    it.media.set({ refusal, refuse });
    assert.equal(await controls.stopPlaying(id, 'both'), true);
    const steps = (await it.proxy().operations.ladder(id))?.steps ?? [];
    assert.ok(steps.some(({ label }) => label === 'Nothing is played to both sides any more'));
    most = 4;
    await assert.rejects(controls.stopPlaying(id, 'both'), { code: 'media-command', detail: refusal });
    const tags = [call.caller.local.tag, call.callee.local.tag];
    assert.deepEqual(asked, [...tags, ...tags]);
  }));

test('what rtpengine says no to is told with its words; a session that it lost is a call that is not up', () =>
  stage(async ({ it, id, controls }) => {
    it.media.set({ refuse: () => 'media-refused', refusal: 'Failed to start media playback from file' });
    await assert.rejects(controls.play(id, 'caller', { file: '/nowhere' }), {
      code: 'media-command',
      detail: 'Failed to start media playback from file',
    });
    it.media.set({ refuse: () => undefined });
    it.media.restart();
    await assert.rejects(controls.block(id, { what: 'media', of: 'both' }, true), { code: 'call-not-up' });
  }));

test('a call that is over, and one that never was', async () => {
  let over: { readonly id: string; readonly controls: MediaControls } | undefined;
  const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'], canRecord: true });
  await it.play(async () => {
    const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
    const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
    const call = await it.call(alice, bob);
    await it.hangUp(alice, call.caller, bob);
    const { operations } = it.proxy();
    const [known] = (await operations.calls({ limit: 1 })).items;
    over = { id: known?.id ?? '', controls: operations };
    await assert.rejects(over.controls.record(over.id, 'start'), { code: 'call-not-up' });
    assert.equal(await over.controls.record('nobody', 'start'), undefined);
    assert.equal(await over.controls.play('nobody', 'caller', { file: '/x' }), false);
  });
});
