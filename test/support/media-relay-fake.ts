/**
 * A media relay in memory (`ports.ts` MediaRelay) that does as rtpengine 10.5 does where it matters to a proxy: calls by
 * Call-ID, callee sides by via-branch, ports that stay, an SDP of its own that anybody recognises (`o=relay`), and the
 * delete rules of DESIGN §4, the cruel one included: a delete for a branch that it does not know destroys the whole call.
 *
 * Left out: media, DTLS and ICE, codecs beyond the list of the `m=` line.
 */
import { type ErrorCode, Failure } from '../../src/errors.ts';
import type { AnswerCommand, DeleteCommand, NgCommand, NgReply, OfferCommand } from '../../src/media/commands.ts';
import type { Clock, MediaNode, MediaNodeState, MediaRelay } from '../../src/ports.ts';
import { describeSdp } from '../../src/sdp/describe.ts';
import { sections } from '../../src/sdp/lines.ts';

export interface MediaSwitches {
  /** Half of it before the command takes effect, half before the reply is there. */
  readonly latencyMs: number;
  /** The failure to answer this command with. */
  readonly refuse: (command: NgCommand, nodeId: string) => ErrorCode | undefined;
  /** The words of such a refusal. */
  readonly refusal: string;
  /** The last hand on a reply: another SDP, other statistics. */
  readonly reply: (command: NgCommand, reply: NgReply) => NgReply;
  /** Of each node; `undefined`: it never told. */
  readonly freePorts: number | undefined;
  /** What has passed through each call, for `query`. */
  readonly packets: number;
  /** When the last one came; `undefined`: right now. */
  readonly lastPacketMs: number | undefined;
  /**
   * `silent`: it died and nobody has noticed yet, so each command times out; `down`: the proxy knows. `mute`: it does
   * what it is told, and its replies are lost.
   */
  readonly nodes: Readonly<Record<string, MediaNodeState | Hidden>>;
}

/** What the proxy does not see of a node. */
type Hidden = 'silent' | 'mute';

export interface Told {
  readonly atMs: number;
  readonly nodeId: string;
  readonly command: NgCommand;
}

export interface MediaRelayFake extends MediaRelay {
  /** Every offer, answer, delete and candidate that reached it, refused ones included. */
  readonly told: readonly Told[];
  /** One word or two for each: `offer RTP/AVP`, `answer`, `delete branch`, `delete`. */
  story(): readonly string[];
  /** Call-IDs that still hold ports. */
  calls(): readonly string[];
  /** How many callee sides of a call hold ports. */
  branches(callId: string): number;
  /** What real rtpengine would have punished, in words. */
  readonly mistakes: readonly string[];
  set(switches: Partial<MediaSwitches>): void;
  /** It was restarted: everything is gone. */
  restart(): void;
}

interface Leg {
  tag: string | undefined;
  readonly branch: string | undefined;
  readonly port: number;
  /** What the SDP for this leg looks like. */
  shape: Shape;
}

interface Shape {
  readonly protocol: string;
  readonly ice: boolean;
  readonly dtls: 'actpass' | 'active' | 'passive' | undefined;
  readonly mux: boolean;
  /** SDES: `a=crypto`. */
  readonly keys: boolean;
}

interface Call {
  readonly legs: Leg[];
  readonly deletedBranches: Set<string>;
  held: boolean;
}

const relayAddress = '203.0.113.50';
const timeoutMs = 2000;
const changing: ReadonlySet<string> = new Set(['offer', 'answer', 'delete', 'trickle']);
const ok: NgReply = { result: 'ok' };

export function createMediaRelayFake(clock: Clock, first: Partial<MediaSwitches> = {}): MediaRelayFake {
  let switches: MediaSwitches = {
    latencyMs: 0,
    refuse: () => undefined,
    refusal: 'as the test wants it',
    reply: (_, reply) => reply,
    freePorts: undefined,
    packets: 0,
    lastPacketMs: undefined,
    nodes: { m1: 'up' },
    ...first,
  };
  const told: Told[] = [];
  const mistakes: string[] = [];
  const engines = new Map<string, Rtpengine>();
  const engine = (nodeId: string): Rtpengine => {
    const known = engines.get(nodeId) ?? new Rtpengine(mistakes);
    engines.set(nodeId, known);
    return known;
  };
  const wait = (ms: number): Promise<void> | undefined =>
    ms > 0 ? new Promise((resolve) => clock.after(ms, resolve)) : undefined;

  const seen = (): Seen => ({ packets: switches.packets, lastMs: switches.lastPacketMs ?? clock.nowMs() });
  const send = async (nodeId: string, command: NgCommand): Promise<NgReply> => {
    await wait(switches.latencyMs / 2);
    const state = switches.nodes[nodeId];
    if (state === undefined) throw new Failure('media-lost', `Node ${nodeId} is not there.`);
    if (changing.has(command.command)) told.push({ atMs: clock.nowMs(), nodeId, command });
    if (state === 'silent' || state === 'down') {
      await wait(timeoutMs);
      throw new Failure('media-timeout');
    }
    const code = switches.refuse(command, nodeId);
    const refusal = code === undefined ? undefined : new Failure(code, switches.refusal);
    const outcome = attempt(() => engine(nodeId).perform(command, refusal, seen()));
    await wait(state === 'mute' ? timeoutMs : switches.latencyMs / 2);
    if (state === 'mute') throw new Failure('media-timeout');
    return switches.reply(command, outcome());
  };
  // Nobody sees that a node is silent or mute: it stands among those that are up.
  const candidates = (): readonly string[] => {
    const known = Object.entries(switches.nodes).map(([id, state]) => ({ id, state: shown(state) }));
    return ['up', 'busy'].flatMap((wanted) => known.flatMap(({ id, state }) => (state === wanted ? [id] : [])));
  };
  return {
    told,
    mistakes,
    candidates,
    send,
    story: () => told.map(({ command }) => word(command)),
    calls: () => [...engines.values()].flatMap((each) => [...each.calls.keys()]),
    branches: (callId) =>
      [...engines.values()].flatMap((each) => each.calls.get(callId)?.legs ?? []).filter((leg) => leg.branch).length,
    nodes: () => Object.entries(switches.nodes).map((node) => describe(node, switches.freePorts)),
    addressOf: (nodeId) => (nodeId in switches.nodes ? nodeAddress : undefined),
    restart: () => engines.clear(),
    set: (changed) => {
      switches = { ...switches, ...changed };
    },
  };
}

function shown(state: MediaNodeState | Hidden): MediaNodeState {
  return state === 'silent' || state === 'mute' ? 'up' : state;
}

const nodeAddress = `udp:${relayAddress}:22222`;

function describe([id, state]: readonly [string, MediaNodeState | Hidden], free: number | undefined): MediaNode {
  const ports = free === undefined ? undefined : { used: 0, free };
  return { id, address: nodeAddress, weight: 1, state: shown(state), ports, lastError: undefined };
}

function word(command: NgCommand): string {
  if (command.command === 'offer') return `offer ${command['transport-protocol'] ?? ''}`;
  if (command.command === 'delete' && command['via-branch'] !== undefined) return 'delete branch';
  return command.command;
}

/** Does it now; says later what came of it. */
function attempt<T>(action: () => T): () => T {
  try {
    const value = action();
    return () => value;
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}

/** What a test wants to have gone through each call. */
interface Seen {
  readonly packets: number;
  readonly lastMs: number;
}

// --- one node --------------------------------------------------------------------------------------------------------

class Rtpengine {
  readonly calls = new Map<string, Call>();
  readonly #mistakes: string[];
  #lastPort = 30_000;

  constructor(mistakes: string[]) {
    this.#mistakes = mistakes;
  }

  perform(command: NgCommand, refusal: Failure | undefined, seen: Seen): NgReply {
    if (refusal !== undefined) return this.#refuse(command, refusal);
    switch (command.command) {
      case 'offer':
        return this.#offer(command);
      case 'answer':
        return this.#answer(command);
      case 'delete':
        return this.#delete(command);
      case 'ping':
        return { result: 'pong' };
      case 'statistics':
        return { result: 'ok', statistics: {} };
      case 'list':
        return { result: 'ok', calls: [...this.calls.keys()].slice(0, command.limit) };
      case 'publish':
        return { result: 'ok', sdp: 's=rtpengine-10-5-3-5-1-deb12u1\r\n' };
      case 'query':
        return this.#query(command['call-id'], seen);
      case 'pause recording':
        throw new Failure('media-unable', 'Unrecognized command');
      default:
        return this.#control(command['call-id']);
    }
  }

  // Observed: "Ran out of ports" destroys the call; an SDP that cannot be parsed changes nothing.
  #refuse(command: NgCommand, refusal: Failure): never {
    if (command.command === 'offer' && refusal.code === 'media-busy') this.calls.delete(command['call-id']);
    throw refusal;
  }

  #offer(command: OfferCommand): NgReply {
    if (command.sdp === '') return ok;
    const call = this.calls.get(command['call-id']) ?? { legs: [], deletedBranches: new Set(), held: false };
    this.calls.set(command['call-id'], call);
    const offerer = this.#leg(call, command['from-tag'], undefined);
    // What the answer will look like.
    offerer.shape = answerShape(command);
    call.held = describeSdp(command.sdp)?.direction !== 'sendrecv';
    const receiver = this.#leg(call, command['to-tag'], command['via-branch']);
    receiver.shape = offerShape(command);
    return { result: 'ok', sdp: rewritten(command.sdp, receiver) };
  }

  #answer(command: AnswerCommand): NgReply {
    const call = this.calls.get(command['call-id']);
    if (call === undefined) throw new Failure('media-lost', 'Unknown call-id');
    const branch = command['via-branch'];
    if (branch !== undefined && call.deletedBranches.has(branch)) this.#mistakes.push(`answer on deleted ${branch}`);
    const offerer = call.legs.find((leg) => leg.tag === command['from-tag']);
    if (offerer === undefined) throw new Failure('media-refused', 'no offer with this from-tag');
    this.#leg(call, command['to-tag'], branch).tag ??= command['to-tag'];
    return { result: 'ok', sdp: rewritten(command.sdp, offerer) };
  }

  // DESIGN §4 "Delete rules".
  #delete(command: DeleteCommand): NgReply {
    const { 'call-id': callId, 'from-tag': fromTag, 'via-branch': branch } = command;
    const call = this.calls.get(callId);
    const unmatched: NgReply = { result: 'ok', warning: "Call-ID not found or tags didn't match" };
    if (call === undefined) return unmatched;
    if (fromTag === undefined) return this.#forget(callId);
    if (!call.legs.some((leg) => leg.tag === fromTag)) return unmatched;
    if (branch === undefined) return this.#forget(callId);
    const index = call.legs.findIndex((leg) => leg.branch === branch);
    if (index < 0) {
      this.#mistakes.push(`delete of ${call.deletedBranches.has(branch) ? 'deleted' : 'unknown'} branch ${branch}`);
      return this.#forget(callId);
    }
    call.legs.splice(index, 1);
    call.deletedBranches.add(branch);
    return call.legs.some((leg) => leg.branch !== undefined) ? ok : this.#forget(callId);
  }

  /** `ok` whether it has a folder for recordings or not. */
  #control(callId: string): NgReply {
    if (!this.calls.has(callId)) throw new Failure('media-lost', 'Unknown call-id');
    return ok;
  }

  #forget(callId: string): NgReply {
    this.calls.delete(callId);
    return ok;
  }

  #query(callId: string, { packets, lastMs }: Seen): NgReply {
    const call = this.calls.get(callId);
    if (call === undefined) throw new Failure('media-lost', 'Unknown call-id');
    const tags = call.legs.map(
      (leg, index) => [leg.tag ?? `untagged-${index}`, tagOf(leg, call.held, lastMs)] as const,
    );
    return { result: 'ok', tags: Object.fromEntries(tags), totals: { RTP: { packets: packets } } };
  }

  /** By tag if known, else by via-branch, else a new one. */
  #leg(call: Call, tag: string | undefined, branch: string | undefined): Leg {
    const byTag = tag === undefined ? undefined : call.legs.find((leg) => leg.tag === tag);
    const byBranch = branch === undefined ? undefined : call.legs.find((leg) => leg.branch === branch);
    const known = byTag ?? byBranch;
    if (known !== undefined) return known;
    this.#lastPort += 2;
    const leg: Leg = { tag, branch, port: this.#lastPort, shape: plain };
    call.legs.push(leg);
    return leg;
  }
}

const plain: Shape = { protocol: 'RTP/AVP', ice: false, dtls: undefined, mux: false, keys: false };

function tagOf({ branch }: Leg, held: boolean, lastMs: number): NgReply {
  const medium = { flags: held ? ['send'] : ['send', 'recv'], streams: [{ 'last packet': Math.floor(lastMs / 1000) }] };
  return branch === undefined ? { medias: [medium] } : { medias: [medium], 'via-branch': branch };
}

function offerShape(command: OfferCommand): Shape {
  const own = ownShape(command.sdp);
  const protocol = command['transport-protocol'] ?? own.protocol;
  const secure = protocol === 'UDP/TLS/RTP/SAVPF' && command.DTLS !== 'off';
  const ice = command.ICE === 'force' || (command.ICE !== 'remove' && own.ice);
  const mux = command['rtcp-mux']?.includes('demux') === true ? false : own.mux || secure;
  const keys = protocol === 'RTP/SAVP' || command.OSRTP?.includes('offer') === true;
  return { protocol, ice, dtls: secure ? 'actpass' : undefined, mux, keys };
}

function answerShape(command: OfferCommand): Shape {
  const own = ownShape(command.sdp);
  return own.dtls === undefined ? own : { ...own, dtls: command['DTLS-reverse'] ?? 'active' };
}

function ownShape(sdp: string): Shape {
  const protocol = /^m=\S+ \d+ (\S+)/m.exec(sdp)?.[1] ?? '';
  const browser = describeSdp(sdp)?.kind === 'webrtc';
  const mux = /^a=rtcp-mux\r?$/m.test(sdp);
  return { protocol, ice: browser, dtls: browser ? 'actpass' : undefined, mux, keys: /^a=crypto:/m.test(sdp) };
}

const itsOwn = /^a=(candidate|end-of-candidates|ice-|fingerprint|setup|tls-id|rtcp-mux|crypto|group|mid)/;

function rewritten(sdp: string, { shape, port }: Leg): string {
  const lines = sdp.split('\r\n').filter((line) => line !== '' && !itsOwn.test(line));
  const ended = (line: string): string => `${line}\r\n`;
  const [session = '', ...media] = sections(lines.map((line) => ended(rewrittenLine(line, shape, port))).join(''));
  const whole = media.map((medium, index) => medium + attributes(shape, port, index).map(ended).join(''));
  return session + whole.join('');
}

function rewrittenLine(line: string, shape: Shape, port: number): string {
  if (line.startsWith('o=')) return `o=relay ${line.split(' ').slice(1, 5).join(' ')} ${relayAddress}`;
  if (line.startsWith('c=')) return `c=IN IP4 ${relayAddress}`;
  // A medium that was refused stays so.
  return line.replace(
    /^m=(\S+) (\d+) (\S+)/,
    (_, kind, old, protocol) =>
      `m=${kind} ${old === '0' ? 0 : port} ${protocol === 'udptl' ? protocol : shape.protocol}`,
  );
}

function attributes({ ice, dtls, mux, keys }: Shape, port: number, index: number): readonly string[] {
  return [
    ...(keys ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${'R'.repeat(40)}`] : []),
    ...(dtls === undefined ? [] : [`a=fingerprint:sha-256 ${'CD:'.repeat(31)}CD`, `a=setup:${dtls}`, `a=mid:${index}`]),
    ...(ice ? ['a=ice-ufrag:relay', 'a=ice-pwd:relayrelayrelayrelayrela'] : []),
    ...(ice ? [`a=candidate:1 1 UDP 2130706431 ${relayAddress} ${port} typ host`] : []),
    ...(mux ? ['a=rtcp-mux'] : []),
  ];
}
