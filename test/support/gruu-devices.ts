/**
 * Devices with GRUUs (RFC 5627) on the stage of call tests: bob has a telephone at his desk and a browser, and alice calls.
 */
import assert from 'node:assert/strict';
import { values } from '../../src/message/header.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import type { SipMessage, SipResponse } from '../../src/message/message.ts';
import { param, unquote } from '../../src/message/params.ts';
import type { Agent, AgentOptions } from './agent.ts';
import { createProxyScene, type ProxyScene, type ProxySceneOptions, sdpType } from './proxy-scene.ts';
import { phoneOffer } from './sdp.ts';

export const server = 'sip:example.com';
const columns = ['alice', 'proxy', 'desk', 'web'];
export const bob = 'sip:bob@example.com';

export interface Device {
  readonly agent: Agent;
  /** Where it really is: the Contact of its REGISTER. */
  readonly contact: string;
  readonly publicGruu: string;
  readonly temporaryGruu: string;
}

export interface Registration {
  readonly callId?: string;
  readonly cseq?: number;
  /** 0: none. */
  readonly regId?: number;
  readonly seconds?: number;
  readonly supported?: string;
  readonly contact?: string;
}

export async function registers(agent: Agent, uuid: string, parts: Registration = {}): Promise<SipResponse> {
  const { callId = `${uuid}-reg`, cseq = 1, regId = 1, seconds = 600, supported = 'path, gruu, outbound' } = parts;
  const contact = `<${parts.contact ?? agent.contact}>;+sip.instance="<urn:uuid:${uuid}>"`;
  const flow = regId === 0 ? '' : `;reg-id=${regId}`;
  const headers = [
    ['Contact', `${contact}${flow};expires=${seconds}`],
    ['Supported', supported],
  ] as const;
  agent.request('REGISTER', server, { contact: false, headers, callId, cseq });
  return agent.receivesFinal('REGISTER');
}

export function given(
  response: SipMessage,
  uuid: string,
): { readonly publicGruu: string; readonly temporaryGruu: string } {
  const own = values(response, Contact).find((text) => text.includes(`"<urn:uuid:${uuid}>"`)) ?? '';
  const [contact] = [Contact.parse(own)];
  const gruu = (name: string): string => unquote(param(contact?.params ?? [], name) ?? '');
  return { publicGruu: gruu('pub-gruu'), temporaryGruu: gruu('temp-gruu') };
}

/** `it`: a scene, or a node of one. */
export async function device(
  it: Pick<ProxyScene, 'agent'>,
  options: AgentOptions,
  uuid: string,
  parts: Registration = {},
): Promise<Device> {
  const agent = it.agent(options);
  const response = await registers(agent, uuid, parts);
  assert.equal(response.status, 200);
  return { agent, contact: agent.contact, ...given(response, uuid) };
}

export const desks = { name: 'desk', aor: bob, transport: 'tcp', address: '192.0.2.2', port: 40_002 } as const;
const webs = { name: 'web', aor: bob, transport: 'wss', address: '192.0.2.3', port: 40_003 } as const;
export const alices = { name: 'alice', address: '192.0.2.1' } as const;

export interface Stage {
  readonly it: ProxyScene;
  readonly alice: Agent;
  /** Both are bob's. */
  readonly desk: Device;
  readonly web: Device;
}

export async function stage(
  script: (stage: Stage) => Promise<void>,
  options: Partial<ProxySceneOptions> = {},
): Promise<void> {
  const it = createProxyScene({ columns, ...options });
  await it.play(async () => {
    const alice = await it.registered(alices);
    const desk = await device(it, desks, 'd');
    const web = await device(it, webs, 'e');
    it.ladder.clear();
    await script({ it, alice, desk, web });
  });
}

export const offer = { body: phoneOffer('alice'), contentType: sdpType };

/** An INVITE from alice to this address meets this status. */
export async function inviteMeets(alice: Agent, uri: string, status: number): Promise<SipResponse> {
  const invite = alice.request('INVITE', uri, offer);
  const response = await alice.receivesResponse(status);
  alice.ack(invite, response);
  return response;
}
