/** Two sipps that call each other through a running Viaduct, registered with their passwords. */
import assert from 'node:assert/strict';
import type { Scope } from './process.ts';
import { type Sipp, type SippScenario, startSipp } from './sipp.ts';
import { PASSWORD } from './softphone.ts';
import type { Viaduct } from './viaduct-process.ts';

export interface SippCall {
  readonly caller: 'udp' | 'tcp';
  readonly callee: 'udp' | 'tcp';
  readonly calling: SippScenario;
  readonly answering: SippScenario;
  /** An account that nobody else is registered with: every device of it rings. */
  readonly bob: string;
  /** How long the one of them who decides talks or lets it ring. */
  readonly pauseMs?: number;
  /** `refused`: what the caller must get. */
  readonly status?: number;
}

export interface SippPair {
  readonly alice: Sipp;
  readonly bob: Sipp;
}

export const aliceSays = 0x11;
export const bobSays = 0x22;

/** Both have registered, and the call is on its way. */
export async function startCall(scope: Scope, viaduct: Viaduct, call: SippCall): Promise<SippPair> {
  const { domain } = viaduct;
  const pauseMs = call.pauseMs ?? 0;
  const bob = await startSipp(scope, call.answering, {
    transport: call.callee,
    user: call.bob,
    voice: bobSays,
    pauseMs: call.answering === 'answer' ? 0 : pauseMs,
  });
  await register(scope, viaduct, call.bob, `127.0.0.1:${bob.port};transport=${call.callee}`);
  const alice = await startSipp(scope, call.calling, {
    transport: call.caller,
    user: 'alice',
    password: PASSWORD,
    domain,
    callee: call.bob,
    remote: { host: '127.0.0.1', port: viaduct.port(call.caller) },
    voice: aliceSays,
    pauseMs,
    ...(call.status === undefined ? {} : { status: call.status }),
  });
  return { alice, bob };
}

/** Over UDP, for a Contact of any transport: sipp takes no call over the connection that it registered on. */
async function register(scope: Scope, viaduct: Viaduct, user: string, contact: string): Promise<void> {
  const remote = { host: '127.0.0.1', port: viaduct.port('udp') };
  const { domain } = viaduct;
  const registering = await startSipp(scope, 'register', {
    transport: 'udp',
    user,
    password: PASSWORD,
    domain,
    remote,
    contact,
  });
  await registering.done();
}

/** The Call-ID of the one call there is, as soon as it is answered. */
export async function theCall(viaduct: Viaduct): Promise<string> {
  await viaduct.until('one call is in progress', ({ calls }) => calls.inProgress === 1, 5_000);
  const [call, ...others] = await viaduct.calls();
  assert.ok(call !== undefined && others.length === 0, 'one call');
  return call.callId;
}

/** DESIGN law 3: no call, and nothing of it in rtpengine. */
export async function assertNothingIsLeft(viaduct: Viaduct, callId: string): Promise<void> {
  await viaduct.until('no call is left', ({ calls }) => calls.inProgress === 0 && calls.ringing === 0);
  assert.deepEqual(await viaduct.calls(), []);
  await viaduct.rtpengine().assertReleased(callId);
}
