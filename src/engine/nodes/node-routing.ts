/**
 * How a request gets to another node of ours (DESIGN §5, many nodes): to the one that has the flow of a client, or to the one
 * that has a dialog.
 *
 * It goes to the other's NODE_ADDRESS in a Route, whose user part is a hop token (dialog/hop-token.ts): the flow that it is for,
 * or the one that it came by. Without NODE_ADDRESS nothing here does anything.
 * Left out: who is there (membership.ts), what is made of a request that comes from another node (routes/nodes.ts).
 */
import { decodeHop, encodeHop, type Hop } from '../../dialog/hop-token.ts';
import { decodeToken, nodeNumber } from '../../dialog/token.ts';
import { Failure } from '../../errors.ts';
import type { SipUri } from '../../message/uri.ts';
import { isBehindNat } from '../../nat/flow-rule.ts';
import type { Binding, Listener, NodeSelf } from '../../ports.ts';
import { tokenOf } from '../../proxy/record-route.ts';
import { hasWayByPath } from '../../registrar/binding.ts';
import type { Elsewhere, Target } from '../api.ts';
import type { Core } from '../core.ts';
import type { Membership } from './membership.ts';
import { inUri, uriOf } from './node-address.ts';

/** How a binding is reached now. */
export type Reach = Pick<Target, 'flowId' | 'elsewhere'>;

/** Over a connection, or past a NAT; else at its contact. */
export function hasFlow({ flowId, elsewhere }: Reach): boolean {
  return flowId !== undefined || elsewhere !== undefined;
}

export interface Place extends Pick<Binding, 'flowId'> {
  readonly node?: Binding['node'] | undefined;
  readonly transport?: Binding['transport'] | undefined;
  readonly path?: Binding['path'] | undefined;
  readonly source?: Binding['source'] | undefined;
  /** Its Contact URI. */
  readonly contact?: Binding['contact'] | undefined;
}

/** A request that is handed on: its call, and what brought it here. */
export interface Handing {
  readonly callId: string;
  readonly token?: string | undefined;
  readonly flowId?: string | undefined;
  readonly hop?: Hop | undefined;
}

export class NodeRouting {
  readonly #core: () => Core;
  readonly #nodes: Membership;
  readonly #self: NodeSelf | undefined;

  constructor(core: () => Core, nodes: Membership) {
    this.#core = core;
    this.#nodes = nodes;
    this.#self = nodes.self;
  }

  /** `undefined`: its connection is gone, or its node is. */
  reach({ flowId, node, transport, path = [], source, contact }: Place): Reach | undefined {
    if (flowId === undefined) return {};
    const byPath = transport !== undefined && hasWayByPath({ transport, path }) ? {} : undefined;
    if (!this.#nodes.isOther(node)) return this.#core().ports.network.find(flowId) === undefined ? byPath : { flowId };
    if (this.#hasFlow(node, flowId)) return { elsewhere: { node, flowId, transport, source } };
    // A telephone on UDP that no NAT hides is at its contact, whoever asks for it.
    return isAtContact(flowId, contact) ? {} : byPath;
  }

  /** As far as one can tell from here. */
  #hasFlow(node: string, flowId: string): boolean {
    const other = this.#nodes.other(node);
    if (other === undefined) return false;
    return flowId.startsWith('u') || flowId.startsWith(`c${other.boot}-`);
  }

  /** Where a request to this target leaves, if it goes to another node. */
  listenerTo(target: Target): Listener | undefined {
    if (this.#self === undefined || !isOfOther(target)) return undefined;
    const { transport, host, port } = this.#self.address;
    const able = this.#core().ports.network.listeners.filter((one) => one.transport === transport);
    return able.find(({ local }) => local.address === host && local.port === port) ?? able[0];
  }

  /** The same under the name that other nodes know it by: for our Via and Record-Route. */
  faceTo(target: Target): Listener | undefined {
    const listener = this.listenerTo(target);
    if (this.#self === undefined || listener === undefined) return undefined;
    const { host, port } = this.#self.address;
    return { ...listener, advertised: { host: inUri(host), port } };
  }

  /** The same target by way of its node. Throws `flow-gone` where that is not there. */
  through(target: Target, handing: Handing): Target {
    const { elsewhere, owner, route = [] } = target;
    if (owner !== undefined) return { ...target, route: [...this.#toOwner(owner, handing), ...route] };
    return elsewhere === undefined ? target : { ...target, route: [this.#over(elsewhere, handing), ...route] };
  }

  #over({ node, flowId }: Elsewhere, { callId }: Handing): string {
    return this.#routeTo(node, this.#hop({ purpose: 'over', node: nodeNumber(node), flowId }, callId));
  }

  #toOwner(owner: string, { callId, token = '', flowId, hop }: Handing): readonly string[] {
    const own = nodeNumber(this.#self?.id ?? '');
    const cameBy = hop ?? (flowId === undefined ? undefined : { purpose: 'came-by' as const, node: own, flowId });
    const text = cameBy && this.#hop(cameBy, callId);
    return [...(text === undefined ? [] : [this.#routeTo(owner, text)]), this.#routeTo(owner, token)];
  }

  #hop(hop: Hop, callId: string): string | undefined {
    const { options, ports } = this.#core();
    return encodeHop(hop, callId, ports.clock.nowMs(), options.secrets[0] ?? '');
  }

  #routeTo(node: string, user: string | undefined): string {
    const other = this.#nodes.other(node);
    if (other === undefined || user === undefined) throw new Failure('flow-gone');
    return `${uriOf(other.address, user)};lr`;
  }

  /** What the token in our Route says, if another node of ours has written it. */
  readHop(text: string | undefined, callId: string): Hop | undefined {
    if (this.#self === undefined || text === undefined) return undefined;
    const { options, ports } = this.#core();
    const hop = decodeHop(text, callId, ports.clock.nowMs(), options.secrets);
    return hop?.purpose === 'over' && hop.node !== nodeNumber(this.#self.id) ? undefined : hop;
  }

  /** Whether this Route is one of ours for this call, wherever it points: its client has come from another node. */
  wrote(uri: SipUri, callId: string): boolean {
    const text = this.#self === undefined ? undefined : tokenOf(uri);
    return text !== undefined && decodeToken(text, callId, this.#core().options.secrets) !== undefined;
  }
}

function isAtContact(flowId: string, contact: string | undefined): boolean {
  const [, address, port] = /^u\d+:(.+):(\d+)$/.exec(flowId) ?? [];
  if (address === undefined || contact === undefined) return false;
  return !isBehindNat(contact, { address, port: Number(port) });
}

/** Whether it goes to another node, for its flow or for its dialog. */
export function isOfOther({ elsewhere, owner }: Target): boolean {
  return elsewhere !== undefined || owner !== undefined;
}
