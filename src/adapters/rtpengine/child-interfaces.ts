/**
 * On which addresses the rtpengine child sends and receives media (DESIGN §4 "Child rtpengine").
 *
 * `childInterfaces` decides and is pure; `localAddresses` asks the operating system.
 */
import { createSocket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface LocalAddresses {
  /** The addresses from which this host reaches the world, IPv4 first; empty where there is no default route. */
  readonly defaultRoute: readonly string[];
  /** All that this host has beside loopback. */
  readonly own: readonly string[];
  readonly loopback: readonly string[];
}

export interface InterfaceWishes {
  /** Given by the caller, such as `127.0.0.1` alone: holds before all else. */
  readonly interfaces?: readonly string[] | undefined;
  /** MEDIA_ADDRESS: `local!advertised` or an address; several with blanks between. */
  readonly mediaAddress?: string | undefined;
  /** Where SIP is said to be for the world (ADVERTISE): who is called by it sends media there, too. Numeric. */
  readonly advertised?: readonly string[] | undefined;
  /** What the listeners are bound to: the one network that SIP serves is the one for media, too. */
  readonly bound?: readonly string[] | undefined;
}

/** Values for `--interface`, at least one. */
export function childInterfaces(wishes: InterfaceWishes, local: LocalAddresses): readonly string[] {
  const asked = wishes.mediaAddress?.split(/[\s,]+/).filter((each) => each !== '') ?? [];
  const found = ([4, 6] as const)
    .map((family) => interfaceOf(family, wishes, local))
    .filter((each) => each !== undefined);
  const choices = [wishes.interfaces ?? [], asked, found, local.loopback];
  return choices.find((choice) => choice.length > 0) ?? ['127.0.0.1'];
}

/** `undefined`: there is no media over this family of addresses. */
function interfaceOf(
  family: 4 | 6,
  { advertised = [], bound = [] }: InterfaceWishes,
  local: LocalAddresses,
): string | undefined {
  const { defaultRoute, own, loopback } = local;
  const ofFamily = (addresses: readonly string[]): readonly string[] =>
    addresses.filter((address) => isIP(address) === family && isUsable(address) && !loopback.includes(address));
  const outside = ofFamily(advertised)[0];
  if (outside !== undefined && own.includes(outside)) return outside;
  // A network without a way out, such as a laboratory's, has its telephones, too.
  const [here] = ofFamily(defaultRoute.some(isUsable) ? defaultRoute : own);
  const [first, ...others] = new Set(ofFamily(bound));
  const inside = first !== undefined && others.length === 0 && own.includes(first) ? first : here;
  return inside === undefined || outside === undefined ? inside : `${inside}!${outside}`;
}

/** A link-local address needs a zone, which SDP cannot say. */
function isUsable(address: string): boolean {
  return !address.toLowerCase().startsWith('fe80:');
}

export async function localAddresses(): Promise<LocalAddresses> {
  // Documentation addresses: nobody is there, and connecting a UDP socket sends nothing. It only asks the route table.
  const found = await Promise.all([sourceTowards('udp4', '198.51.100.1'), sourceTowards('udp6', '2001:db8::1')]);
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const those = (isLoopback: boolean): readonly string[] =>
    all.filter(({ internal, address }) => internal === isLoopback && isUsable(address)).map(({ address }) => address);
  return { defaultRoute: found.filter((address) => address !== undefined), own: those(false), loopback: those(true) };
}

/** `undefined` where no route leads there. */
export function sourceTowards(type: 'udp4' | 'udp6', target: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    const done = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    // A callback of `connect` would be called on an error, too, and the address be 0.0.0.0.
    socket.on('error', () => done(undefined));
    socket.on('connect', () => done(socket.address().address));
    socket.connect(9, target);
  });
}

/**
 * The local addresses among these interfaces that this host does not have. rtpengine itself starts with them without a
 * word, and then has no ports for any call.
 */
export async function foreignAddresses(interfaces: readonly string[]): Promise<readonly string[]> {
  const locals = interfaces.map((each) => each.replace(/^[^/]*\//, '').replace(/!.*$/, ''));
  const own = await Promise.all(locals.map(canBind));
  return locals.filter((_, place) => own[place] === false);
}

function canBind(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const done = (bound: boolean): void => {
      socket.close();
      resolve(bound);
    };
    socket.on('error', () => done(false));
    socket.bind(0, address, () => done(true));
  });
}
