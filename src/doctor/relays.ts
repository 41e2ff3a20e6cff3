/**
 * Each rtpengine, by a canary: an offer as a call would make it, read for its address, and deleted. And its ports, by
 * `statistics`, against those that the system hands out to others.
 */
import type { Finding } from '../engine/operations.ts';
import { failureOf } from '../errors.ts';
import { deleteCommand } from '../media/delete-rules.ts';
import { offerProfile } from '../media/profiles.ts';
import { viaBranch } from '../media/via-branch.ts';
import type { Listener, MediaNode, MediaRelay, NgReply, NgValue, Random, Resolver } from '../ports.ts';
import { finding } from './finding.ts';
import { addressesOf } from './names.ts';
import { isPrivateAddress } from './private-address.ts';
import { versionOf } from './relay-version.ts';

export interface RelaysChecked {
  readonly media: MediaRelay;
  readonly random: Random;
  readonly listeners: readonly Listener[];
  /** Addresses of this host. */
  readonly local: readonly string[];
  readonly resolver: Pick<Resolver, 'addresses'>;
  /** Ports for outgoing connections here; `undefined`: not known. */
  readonly ephemeral: readonly [number, number] | undefined;
  /** Stands in the via-branch. */
  readonly mark: string;
}

export async function relayFindings(checked: RelaysChecked): Promise<readonly Finding[]> {
  const nodes = checked.media.nodes();
  if (nodes.length === 0) {
    const cure = 'apt-get install rtpengine-daemon and start again, or set RTPENGINE.';
    return [finding('rtpengine', 'error', 'There is no rtpengine: calls are refused.', cure)];
  }
  const outside = checked.listeners.filter(({ local }) => !isLoopbackAddress(local.address));
  const advertised = await addressesOf(
    outside.map(({ advertised: { host } }) => host),
    checked.resolver,
  );
  const world = { isReached: outside.length > 0, advertised };
  return (await Promise.all(nodes.map((node) => nodeFindings(node, world, checked)))).flat();
}

/** Where others look for us; `isReached`: not only this host itself. */
interface World {
  readonly isReached: boolean;
  readonly advertised: readonly string[];
}

async function nodeFindings(node: MediaNode, world: World, checked: RelaysChecked): Promise<readonly Finding[]> {
  const small = await canary(node, checked, '');
  if ('failed' in small) return [small.failed];
  const large = await canary(
    node,
    checked,
    'a=x-viaduct-padding:0123456789012345678901234567890123456789\r\n'.repeat(120),
  );
  const cure = 'A firewall or tunnel in between drops fragments: raise the MTU, or let fragments pass.';
  const lost = `${node.address} answers small commands, and not large ones (7 KiB, as a browser's offer).`;
  return [
    ...addressFindings(node, small.address, world, checked),
    versionFinding(node, await versionOf(node, canarySdp, checked)),
    ...('failed' in large ? [finding('rtpengine', 'error', lost, cure)] : []),
    ...portFindings(node, await statistics(node, checked), checked),
  ];
}

function versionFinding({ address }: MediaNode, version: string | undefined): Finding {
  if (version === undefined) {
    const cure =
      'rtpengine --version there. Viaduct is tried with 10.5, 12.5 and 26; older ones may lack what browsers need.';
    return finding('rtpengine', 'notice', `${address} does not tell its version.`, cure);
  }
  return finding('rtpengine', 'ok', `${address} is rtpengine ${version}.`, '');
}

type Canary = { readonly address: string } | { readonly failed: Finding };

async function canary(node: MediaNode, { media, random, mark }: RelaysChecked, padding: string): Promise<Canary> {
  const callId = `viaduct-doctor-${random.hex(8)}`;
  const branch = viaBranch(mark, `z9hG4bK${random.hex(8)}`);
  const offer = { command: 'offer', 'call-id': callId, 'from-tag': 'doctor', 'via-branch': branch } as const;
  try {
    const reply = await media.send(node.id, { ...offer, ...offerProfile('rtp', 'rtp'), sdp: `${canarySdp}${padding}` });
    return { address: /^c=IN IP[46] (\S+)/m.exec(String(reply.sdp))?.[1] ?? '' };
  } catch (thrown) {
    return { failed: refused(node, thrown) };
  } finally {
    media.send(node.id, deleteCommand(callId, '', { delete: 'call' })).catch(() => undefined);
  }
}

/** An offer that any version takes. */
export const canarySdp =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=doctor\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n';

function refused(node: MediaNode, thrown: unknown): Finding {
  const { message, row, code } = failureOf(thrown);
  const free = node.ports?.free ?? 0;
  if (code === 'media-timeout') {
    const cure =
      'Is it running there, with this ng port, and does a firewall let us through to it? Calls come to it again by themselves when it answers.';
    const words = `${node.address} does not answer a test offer: ${node.lastError ?? message}`;
    return finding('rtpengine', 'error', words, cure);
  }
  // rtpengine says so too when it cannot bind: then many ports are free.
  if (code === 'media-busy' && free > 100) {
    const words = `${node.address} says it ran out of ports while ${free} are free: it cannot bind its interface address.`;
    return finding(
      'rtpengine',
      'error',
      words,
      'Start it with --interface=LOCAL!PUBLIC, where LOCAL is an address it has.',
    );
  }
  return finding('rtpengine', 'error', `${node.address} refused a test offer: ${message}`, row.nextStep);
}

function addressFindings(
  node: MediaNode,
  address: string,
  { isReached, advertised }: World,
  { local }: RelaysChecked,
): readonly Finding[] {
  const ok = finding('rtpengine', 'ok', `${node.address} answers; media goes to ${address}.`, '');
  const isPublic = advertised.some((one) => !isPrivateAddress(one));
  const cure = 'Set MEDIA_ADDRESS=LOCAL!PUBLIC, or --interface=LOCAL!PUBLIC of an rtpengine of your own.';
  if (isReached && isLoopbackAddress(address)) {
    return [ok, finding('rtpengine', 'error', `${node.address} sends media to ${address}: others hear nothing.`, cure)];
  }
  if (isPublic && isPrivateAddress(address)) {
    const words = `${node.address} sends media to ${address}, a private address, while we advertise a public one.`;
    return [ok, finding('rtpengine', 'error', words, cure)];
  }
  const here = /^udp:(127\.|\[::1\])/.test(node.address);
  const known = local.includes(address) || advertised.includes(address);
  const foreign = here && !isLoopbackAddress(address) && !known;
  const words = `${node.address} is on this host and names ${address}, which this host does not have.`;
  return foreign ? [ok, finding('rtpengine', 'notice', words, 'Right if that is the public address of a NAT.')] : [ok];
}

const isLoopbackAddress = (address: string): boolean => address.startsWith('127.') || address === '::1';

interface Range {
  readonly min: number;
  readonly max: number;
  readonly used: number;
  readonly free: number;
}

async function statistics(node: MediaNode, { media }: RelaysChecked): Promise<readonly Range[]> {
  const reply = await media.send(node.id, { command: 'statistics' }).catch((): NgReply => ({}));
  const interfaces = dictionary(reply.statistics)?.interfaces;
  return list(interfaces).flatMap((one) => {
    const ports = dictionary(dictionary(one)?.ports);
    if (ports === undefined) return [];
    const number = (key: string): number => (typeof ports[key] === 'number' ? ports[key] : 0);
    return [{ min: number('min'), max: number('max'), used: number('used'), free: number('free') }];
  });
}

function portFindings(node: MediaNode, ranges: readonly Range[], { ephemeral }: RelaysChecked): readonly Finding[] {
  const [range] = ranges;
  if (range === undefined) return [];
  const { min, max } = range;
  const [used, free] = [ranges.reduce((sum, one) => sum + one.used, 0), ranges.reduce((sum, one) => sum + one.free, 0)];
  const text = `${node.address}: ports ${min}-${max}, ${free} free, ${used} used.`;
  const few = free < (free + used) / 5;
  const more = 'A call takes four of each interface: widen port-min to port-max, or add a node.';
  const overlaps = ephemeral !== undefined && min <= ephemeral[1] && max >= ephemeral[0];
  const others = `${node.address}: its ports ${min}-${max} overlap those that the system gives to others (${ephemeral?.join('-')}).`;
  const reserve = `sysctl -w net.ipv4.ip_local_reserved_ports=${min}-${max}`;
  const here = /^udp:(127\.|\[::1\])/.test(node.address);
  return [
    finding('rtpengine', few ? 'warning' : 'ok', few ? `${text} Less than a fifth is left.` : text, few ? more : ''),
    ...(overlaps && here ? [finding('rtpengine', 'notice', others, reserve)] : []),
  ];
}

function dictionary(value: NgValue | undefined): NgReply | undefined {
  return value !== undefined && isDictionary(value) ? value : undefined;
}

function isDictionary(value: NgValue): value is NgReply {
  return typeof value === 'object' && !Array.isArray(value);
}

function list(value: NgValue | undefined): readonly NgValue[] {
  return Array.isArray(value) ? value : [];
}
