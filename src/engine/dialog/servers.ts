/**
 * Servers that call us over a connection of theirs: a trunk, the proxy of another domain, or one before our users. Unlike a
 * client (law 4) they close it when nothing was said for a while, Kamailio after two minutes, and their call goes on. From
 * then on they are dialled where they said that they are (RFC 3261 §12.2.1.1, §18.1.1, §18.2.2).
 */
import { noteFlow } from '../../dialog/record.ts';
import { lower } from '../../message/ascii.ts';
import { get, values } from '../../message/header.ts';
import { Contact } from '../../message/headers/contact.ts';
import { From } from '../../message/headers/from-to.ts';
import { RecordRoute } from '../../message/headers/route.ts';
import { Via } from '../../message/headers/via.ts';
import { parseUri } from '../../message/uri.ts';
import { reopenedAt } from '../../nat/received.ts';
import { numericAddress } from '../../nat/same-address.ts';
import type { DialogRecord, DialogSide, Flow } from '../../ports.ts';
import type { Request } from '../api.ts';
import type { Core } from '../core.ts';

/** To be told before the calls of this flow are. */
export function leaveServers(core: Core, { id, remote }: Flow): void {
  const isLeft = (side: DialogSide): boolean => side.flowId === id && isServer(core, side, remote.address);
  for (const record of core.dialogs.byFlow(id)) core.dialogs.replace(record, dialled(record, isLeft));
}

/**
 * The same for a call of before the restart, of a node that is gone, or whose caller has closed its connection before the
 * answer. `source`: of that one.
 */
export function withServersLeft(core: Core, record: DialogRecord, source?: string): DialogRecord {
  const isLeft = (side: DialogSide): boolean => isGone(core, side) && isServer(core, side, source);
  return core.dialogs.replace(record, dialled(record, isLeft));
}

function isGone(core: Core, { flowId, node }: DialogSide): boolean {
  if (flowId === undefined) return false;
  return core.nodes.isOther(node) ? !core.nodes.isThere(node) : core.ports.network.find(flowId) === undefined;
}

function dialled(record: DialogRecord, isLeft: (side: DialogSide) => boolean): DialogRecord {
  const caller = isLeft(record.caller) ? noteFlow(record, 'caller', undefined) : record;
  return isLeft(caller.callee) ? noteFlow(caller, 'callee', undefined) : caller;
}

/**
 * How the response to an INVITE leaves whose sender has closed its connection: RFC 3261 §18.2.2 dials a server where its
 * Via says. `undefined` for a client (law 4), and for what another node of ours has handed on.
 */
export function wayBackTo(core: Core, { message, flow, hop }: Request): (() => Flow) | undefined {
  const via = get(message, Via);
  const remote = via && reopenedAt(via);
  const peer: Peer = {
    listener: flow.listener.index,
    binding: core.registrar.bindingOf(flow, get(message, From)?.uri),
    routeSet: values(message, RecordRoute),
    remoteTarget: get(message, Contact)?.uri ?? '',
    uri: get(message, From)?.uri ?? '',
  };
  if (via === undefined || remote === undefined || hop !== undefined) return undefined;
  if (!isServer(core, peer, flow.remote.address)) return undefined;
  const name = numericAddress(via.host) === undefined ? lower(via.host) : undefined;
  return () => core.ports.network.connect(flow.listener, remote, name) ?? flow;
}

/** What is asked of the other end of a connection. */
type Peer = Pick<DialogSide, 'listener' | 'binding' | 'routeSet' | 'remoteTarget' | 'uri'>;

/**
 * Nobody who is registered here, or whose proxy has put itself on the way. `source`: where its connection came from, if
 * that is still known.
 */
function isServer(core: Core, side: Peer, source: string | undefined): boolean {
  const transport = core.ports.network.listeners[side.listener]?.transport;
  if (transport !== 'tcp' && transport !== 'tls') return false;
  if (side.routeSet.length > 0) return true;
  if (side.binding !== undefined) return false;
  const next = parseUri(side.remoteTarget);
  const addresses = [source, next && numericAddress(next.host)].filter((one) => one !== undefined);
  return addresses.some((one) => core.options.isTrusted(one)) || !core.domains.isOursText(side.uri);
}
