/** What a script needs of presence: bodies, SUBSCRIBE and PUBLISH as clients send them, and a NOTIFY answered. */
import type { Field } from '../../src/message/build.ts';
import { get } from '../../src/message/header.ts';
import { SipETag, SubscriptionState } from '../../src/message/headers/event.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import { printParams } from '../../src/message/params.ts';
import type { Agent, AgentDialog, RequestOptions } from './agent.ts';

export const pidfType = 'application/pidf+xml';

/** A document with one tuple, as a softphone publishes it. */
export function pidf(aor: string, basic: 'open' | 'closed', note = '', id = 't1'): string {
  const said = note === '' ? '' : `<note>${note}</note>`;
  const tuple = `<tuple id="${id}"><status><basic>${basic}</basic></status>${said}</tuple>`;
  return `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${aor}">${tuple}</presence>`;
}

export interface PublishOptions extends RequestOptions {
  readonly ifMatch?: string;
  readonly expires?: number;
  readonly event?: string;
}

export function publish(agent: Agent, options: PublishOptions = {}): SipRequest {
  const { ifMatch, expires = 600, event = 'presence', ...rest } = options;
  const condition: readonly Field[] = ifMatch === undefined ? [] : [['SIP-If-Match', ifMatch]];
  const headers: readonly Field[] = [['Event', event], ['Expires', String(expires)], ...condition];
  const content = rest.body === undefined ? {} : { contentType: pidfType };
  return agent.request('PUBLISH', agent.aor, { ...content, ...rest, headers });
}

/** The entity-tag of the 200. */
export async function published(agent: Agent): Promise<string> {
  return get(await agent.receivesResponse(200, 'PUBLISH'), SipETag) ?? '';
}

export interface Watch {
  readonly dialog: AgentDialog;
  readonly accepted: SipResponse;
  /** The first NOTIFY, answered. */
  readonly first: SipRequest;
}

/** Subscribes and answers the first NOTIFY. */
export async function watch(agent: Agent, to: string, event = 'presence', expires = 600): Promise<Watch> {
  const subscribe = agent.request('SUBSCRIBE', to, {
    headers: [
      ['Event', event],
      ['Expires', String(expires)],
    ],
  });
  const accepted = await agent.receivesResponse(200, 'SUBSCRIBE');
  const first = await notified(agent);
  return { dialog: agent.dialog(subscribe, accepted), accepted, first };
}

/** The next NOTIFY, answered with 200. */
export async function notified(agent: Agent, limitMs?: number): Promise<SipRequest> {
  const notify = await agent.receivesRequest('NOTIFY', limitMs);
  agent.respond(notify, 200);
  return notify;
}

/** `active`, `terminated;reason=timeout`; without the seconds. */
export function stateOf(notify: SipRequest): string {
  const state = get(notify, SubscriptionState);
  const params = state?.params.filter(([name]) => name !== 'expires') ?? [];
  return `${state?.name ?? ''}${printParams(params)}`;
}

/** What the first tuples say: `open`, `closed`. */
export function basics(notify: SipRequest): readonly string[] {
  return [...notify.body.matchAll(/<basic>(\w+)<\/basic>/g)].map(([, basic = '']) => basic);
}
