/**
 * One row of Kamailio's table `location` as a binding of ours, or why it cannot be one.
 *
 * A client of UDP is reached as Kamailio reached it: by its Path, else where it came from (`received`) through the socket that it
 * came to, else at its Contact. Through another socket its NAT would let nothing in, so that must be one of ours.
 */
import { canonicalAddress, isPort } from '../../adapters/network/addresses.ts';
import { fromDatabase } from '../../adapters/postgres/text.ts';
import type { NameAddr } from '../../message/headers/address.ts';
import { Path } from '../../message/headers/route.ts';
import { splitOutside } from '../../message/list.ts';
import { param } from '../../message/params.ts';
import { defaultPort, parseUri, type SipUri } from '../../message/uri.ts';
import type { Binding, Listener } from '../../ports.ts';
import { bindingKey, mediaOf, storedParams } from '../../registrar/binding.ts';
import type { LocationRow } from './tables.ts';

export interface Here {
  readonly node: string;
  readonly boot: string;
  readonly listeners: readonly Pick<Listener, 'index' | 'transport' | 'local'>[];
  readonly nowMs: number;
  /** Nothing is registered for longer. */
  readonly mostMs: number;
  /** Kamailio's times, in milliseconds since 1970. */
  timeOf(text: string): number;
}

export type Left =
  /** They are counted together. */
  { readonly left: 'connection' | 'expired' } | { readonly left: 'refused'; readonly why: string };

/** As in the registrar: what an index entry of the database holds. */
const longestKey = 512;

/** `usrloc` writes the beginning of time for what never expires. */
const dayMs = 86_400_000;

export function registrationOf(row: LocationRow, aor: string, here: Here): Binding | Left {
  const untilMs = here.timeOf(row.expires);
  if (Number.isNaN(untilMs)) return refused(`its time "${row.expires}" cannot be read`);
  // In whatever time zone.
  if (Math.abs(untilMs) <= 2 * dayMs) return refused('it never expires: make an alias of it (viaduct alias add)');
  if (untilMs <= here.nowMs) return { left: 'expired' };
  if (isConnection(row)) return { left: 'connection' };
  const contact = contactOf(row);
  const key = contact && bindingKey(contact);
  if (contact === undefined || key === undefined || key.length > longestKey)
    return refused('its contact is no SIP URI');
  const way = wayTo(row, contact, here);
  if ('left' in way) return way;
  return {
    ...{ aor, key, ...way },
    ...{ contact: contact.uri, contactParams: storedParams(contact) },
    q: row.q < 0 || row.q > 1 ? 1 : Math.round(row.q * 1000) / 1000,
    expiresAtMs: Math.min(untilMs, here.nowMs + here.mostMs),
    callId: fromDatabase(row.callid),
    cseq: Math.max(0, row.cseq),
    node: here.node,
    boot: here.boot,
    transport: 'udp',
    userAgent: fromDatabase(row.user_agent),
    media: mediaOf(contact, 'udp'),
    gruuCSeq: undefined,
  };
}

/** Behind a Path it is not ours to keep. */
function isConnection({ socket, contact, received, path }: LocationRow): boolean {
  const named = [contact, received ?? ''].map((text) => parseUri(bare(text)));
  const transports = named.map((uri) => (uri && param(uri.params, 'transport')) || 'udp');
  return (
    !path && ((socket ?? 'udp:').slice(0, 4) !== 'udp:' || transports.some((name) => name.toLowerCase() !== 'udp'))
  );
}

function contactOf({ contact, instance, reg_id }: LocationRow): NameAddr | undefined {
  const uri = bare(fromDatabase(contact));
  if (parseUri(uri) === undefined || (instance ?? '').includes('"')) return undefined;
  const named: NameAddr['params'] = instance ? [['+sip.instance', `"${fromDatabase(instance)}"`]] : [];
  const flow: NameAddr['params'] = instance && reg_id > 0 ? [['reg-id', String(reg_id)]] : [];
  return { display: undefined, uri, params: [...named, ...flow] };
}

function bare(text: string): string {
  return text.replace(/^<|>$/g, '');
}

type Way = Pick<Binding, 'path' | 'flowId' | 'source'>;

function wayTo(row: LocationRow, contact: NameAddr, here: Here): Way | Left {
  const uri = parseUri(contact.uri);
  const at = uri === undefined ? '' : `${uri.host}:${uri.port ?? defaultPort(uri)}`;
  if (row.path) return byPath(row.path, at);
  if (row.received) return byFlow(row, row.received, here);
  return { path: [], flowId: undefined, source: at };
}

function byPath(text: string, source: string): Way | Left {
  const path = splitOutside(fromDatabase(text), ',');
  const isSound = path.every((value) => Path.parse(value) !== undefined);
  return isSound ? { path, flowId: undefined, source } : refused('its Path cannot be read');
}

function byFlow({ socket }: LocationRow, received: string, { listeners }: Here): Way | Left {
  const from = addressOf(parseUri(bare(received)));
  if (from === undefined) return refused(`"${received}" is no address to reach it at`);
  const to = addressOf(parseUri(`sip:${(socket ?? '').slice('udp:'.length)}`));
  const isIt = ({ transport, local }: Here['listeners'][number]): boolean =>
    transport === 'udp' && local.address === to?.address && local.port === to.port;
  const listener = listeners.find(isIt);
  if (listener === undefined) return refused(`it is behind NAT and came to ${socket}, where LISTEN has no entry here`);
  const source = `${from.address}:${from.port}`;
  return { path: [], flowId: `u${listener.index}:${source}`, source };
}

function addressOf(uri: SipUri | undefined) {
  const address = canonicalAddress(uri?.host ?? '');
  const port = uri && (uri.port ?? defaultPort(uri));
  return address === undefined || port === undefined || !isPort(port) ? undefined : { address, port };
}

function refused(why: string): Left {
  return { left: 'refused', why };
}
