/** Three nodes, and two browsers that may come back to any of them: alice is at A, bob at B. */
import type { Agent } from './agent.ts';
import { createNodesScene, type NodesScene, type NodesSceneOptions, type SceneNode } from './nodes-scene.ts';
import { type Call, call, sdpType } from './proxy-scene.ts';
import { browserAnswer, browserOffer } from './sdp.ts';

export const columns = ['alice', 'A', 'B', 'C', 'bob'];

/** A device, as it registers at any node. */
const device = (name: string) =>
  ({
    contact: false,
    headers: [['Contact', `<sip:${name}@x.invalid;transport=ws>;+sip.instance="<urn:uuid:${name}>";reg-id=1`]],
  }) as const;

/** Its connections differ in their port. */
let ports = 40_000;

export function appears(name: string, node: SceneNode): Promise<Agent> {
  const contact = `sip:${name}@x.invalid;transport=ws`;
  const place = { name, address: name === 'alice' ? '192.0.2.1' : '192.0.2.2', port: ports++, contact };
  return node.registered({ ...place, transport: 'ws' }, { ...device(name), callId: `registration-${ports}` });
}

export interface Stage {
  readonly it: NodesScene;
  readonly alice: Agent;
  readonly bob: Agent;
}

export function stage(
  script: (stage: Stage) => Promise<void>,
  options: Partial<NodesSceneOptions> = {},
): Promise<void> {
  const it = createNodesScene({ columns, nodes: ['A', 'B', 'C'], ...options });
  return it.play(async () => {
    const alice = await appears('alice', it.A);
    const bob = await appears('bob', it.B);
    await script({ it, alice, bob });
  });
}

export const talking = ({ alice, bob }: Pick<Stage, 'alice' | 'bob'>): Promise<Call> =>
  call(alice, bob, { offer: browserOffer('alice'), answer: browserAnswer('bob') });

/** Bob rings for alice. */
export async function ringing({ alice, bob }: Pick<Stage, 'alice' | 'bob'>) {
  const invite = alice.request('INVITE', bob.aor, { body: browserOffer('alice'), contentType: sdpType });
  const received = await bob.receivesRequest('INVITE');
  bob.respond(received, 180);
  await alice.receivesResponse(180);
  return { invite, received };
}

/** The same on both ways, so that whoever does not reach the other is found. */
export async function bothReach(one: Agent, itsDialog: Call['caller'], other: Agent, othersDialog: Call['callee']) {
  for (const [by, dialog, to] of [
    [one, itsDialog, other],
    [other, othersDialog, one],
  ] as const) {
    const invite = by.within(dialog, 'INVITE', { body: browserOffer(by.name), contentType: sdpType });
    to.respond(await to.receivesRequest('INVITE'), 200, { body: browserAnswer(to.name), contentType: sdpType });
    by.ack(invite, await by.receivesResponse(200, 'INVITE'));
    await to.receivesRequest('ACK');
  }
}
