/**
 * The outside world as interfaces. The engine (L3) is written against these; adapters (L4) and the fakes in
 * `test/support/` implement them. Nothing here does anything.
 */
import type { NgCommand, NgReply } from './media/commands.ts';
import type { UpAtNodes } from './ports/nodes.ts';

export type { NgCommand, NgReply, NgValue } from './media/commands.ts';
export type * from './ports/call-records.ts';
export type * from './ports/nodes.ts';
export type * from './ports/presence.ts';
export type * from './ports/push.ts';
export type * from './ports/subscribers.ts';
export type * from './ports/tokens.ts';

// --- time and chance -------------------------------------------------------------------------------------------------

export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since 1970. Never goes backwards. */
  nowMs(): number;
  /** Runs `action` once after `delayMs`, unless cancelled. The timer alone does not keep the process alive. */
  after(delayMs: number, action: () => void): Cancel;
}

export interface Random {
  /** `bytes` random bytes as lower-case hex: for tags, branches, cookies and nonces. */
  hex(bytes: number): string;
  /** At least 0, below 1. */
  fraction(): number;
}

/** How busy this process is. */
export interface Load {
  /** The share of the time since it was asked last that the event loop worked: 0 to 1. */
  utilization(): number;
}

// --- network ---------------------------------------------------------------------------------------------------------

export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

export interface SocketAddress {
  /** A numeric address; IPv6 without brackets, v4-mapped addresses as plain IPv4. */
  readonly address: string;
  readonly port: number;
}

/** A socket we listen on. A wildcard LISTEN entry becomes one listener per local address. */
export interface Listener {
  /** Position in `Network.listeners`; the same after a restart with the same settings. */
  readonly index: number;
  /** The LISTEN entry that made it, such as `udp:127.0.0.1:5060`. */
  readonly entry: string;
  readonly transport: Transport;
  /** Bound address and port (the real one where the entry said port 0). */
  readonly local: SocketAddress;
  /** What we write into Via and Record-Route: the advertised host (IPv6 with brackets) and port. */
  readonly advertised: { readonly host: string; readonly port: number };
}

/**
 * A way to one peer (RFC 5626): for UDP our listener and its address, otherwise one open connection.
 * A client behind a connection is reached by this and by nothing else (law 4).
 */
export interface Flow {
  /** Unique: `u<listener>:<address>:<port>` for UDP, `c<boot>-<number>` for a connection. */
  readonly id: string;
  readonly transport: Transport;
  readonly listener: Listener;
  readonly remote: SocketAddress;
  /** Whether the peer opened it. We never dial where a client has a connection. */
  readonly inbound: boolean;
}

export interface Network {
  readonly listeners: readonly Listener[];
  /** Sends one message (latin1). `false`: the flow is closed or its send buffer is full; nothing was sent. */
  send(flow: Flow, text: string): boolean;
  /** The flow with this id: any UDP flow of a present listener, or a connection that is still open. */
  find(flowId: string): Flow | undefined;
  /**
   * A flow to `remote` from this listener: for UDP at once, for TCP and TLS an open connection to that address or a new
   * one being dialled (what is sent meanwhile waits in it; failure comes as `closed`). `undefined` where the transport
   * cannot dial (ws, wss). `serverName` is verified against the certificate (TLS).
   */
  connect(listener: Listener, remote: SocketAddress, serverName?: string): Flow | undefined;
  /** Ends a connection (no effect on UDP). */
  close(flow: Flow): void;
  /** Open connections by transport, and counters of what was refused or dropped, for the statistics. */
  statistics(): NetworkStatistics;
}

export interface NetworkStatistics {
  readonly connections: Readonly<Record<Exclude<Transport, 'udp'>, number>>;
  /** Why bytes were thrown away or connections ended, with how often: `too-large`, `framing-timeout`, … */
  readonly dropped: Readonly<Record<string, number>>;
}

/** What the network tells the engine. */
export interface NetworkEvents {
  /** One whole message: a datagram, a framed piece of a stream, or a WebSocket message. */
  message(text: string, flow: Flow): void;
  /** A connection is gone, or could not be made. */
  closed(flow: Flow, reason: string): void;
}

/** What the DNS says. No record, no answer and no name server are one thing here: an empty list. */
export interface Resolver {
  /** A and AAAA of a host name; numeric addresses come back as they are. */
  addresses(host: string): Promise<readonly string[]>;
  /** Whether no name server has answered the last question for its addresses, and nothing is known of before. */
  isUnanswered(host: string): boolean;
  /** SRV (RFC 2782), in no order. */
  services(name: string): Promise<readonly SrvRecord[]>;
  /** NAPTR (RFC 3403), in no order. */
  pointers(domain: string): Promise<readonly NaptrRecord[]>;
}

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** The host; `.` says that there is none. */
  readonly name: string;
}

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

// --- location ----------------------------------------------------------------------------------------------------

/** Whom a contact is for, as a receiver of SDP: DTLS-SRTP with ICE, plain RTP, SDES-SRTP, or OSRTP (RFC 8643: either of both). */
export type MediaKind = 'webrtc' | 'rtp' | 'sdes' | 'osrtp';

/** One registered contact of an AOR (RFC 3261 §10.3, RFC 5626, RFC 3327). */
export interface Binding {
  /** `sip:user@domain`, canonical. */
  readonly aor: string;
  /** What another registration of the same device replaces: instance and reg-id, or the Contact URI. */
  readonly key: string;
  /** The Contact URI as the client gave it; never rewritten. */
  readonly contact: string;
  /** The Contact's header parameters as received, `;+sip.instance="<urn:uuid:…>";reg-id=1`, without q and expires. */
  readonly contactParams: string;
  /** 0 to 1 (RFC 3261 §20.10). */
  readonly q: number;
  readonly expiresAtMs: number;
  readonly callId: string;
  readonly cseq: number;
  /** Path values (RFC 3327), first hop first. */
  readonly path: readonly string[];
  /** The flow it registered over, when it must be reached by that flow (law 4); `undefined` to use the Contact URI. */
  readonly flowId: string | undefined;
  /** The node and its boot that own the flow. A flow of an older boot is dead unless it is UDP. */
  readonly node: string;
  readonly boot: string;
  readonly transport: Transport;
  /** Where the REGISTER came from, `address:port`: for people. */
  readonly source: string;
  readonly userAgent: string;
  /** What is known of its media: from the REGISTER (WebSocket, `+sip.ice`), or learnt in a call from an SDP that it sent. */
  readonly media: MediaKind | undefined;
  /**
   * Since which REGISTER of this Call-ID its device has temporary GRUUs that are still good (RFC 5627 §5.1, RFC 5628
   * `first-cseq`), over all its flows; `undefined`: it has asked for none.
   */
  readonly gruuCSeq: number | undefined;
}

export interface BindingChange {
  readonly aor: string;
  readonly callId: string;
  readonly cseq: number;
  /** Added or replaced, by key. */
  readonly save: readonly Binding[];
  /** Removed, by key; `*` removes all of the AOR. */
  readonly remove: readonly string[] | '*';
  /** Without one any number is stored. */
  readonly limit?: ContactLimit;
}

/** Law 9: how many bindings an AOR may have. */
export interface ContactLimit {
  readonly contacts: number;
  readonly whenFull: 'refuse' | 'replace-oldest';
  /** Connections of the AOR that are closed: a binding that only they could reach does not count. */
  readonly closedFlows: readonly string[];
}

export type BindingOutcome =
  | { readonly outcome: 'stored'; readonly bindings: readonly Binding[] }
  /** A binding of the same Call-ID has this CSeq or a higher one (RFC 3261 §10.3 step 7): nothing was changed. */
  | { readonly outcome: 'out-of-order'; readonly bindings: readonly Binding[] }
  /** There would be more than the limit allows: nothing was changed. */
  | { readonly outcome: 'too-many'; readonly bindings: readonly Binding[] };

export interface LocationStore {
  /** The bindings of the AOR that have not expired, highest q first, then newest. */
  lookup(aor: string): Promise<readonly Binding[]>;
  /** Finds the binding whose key hashes to this (see `dialog/token.ts`); for a dialog that lost its flow. */
  byKeyHash(keyHash: string): Promise<Binding | undefined>;
  /** Committed when it resolves (law 5). */
  change(change: BindingChange): Promise<BindingOutcome>;
  /** What the device has shown to speak, until a REGISTER says otherwise; no binding is made by this. */
  learn(aor: string, key: string, media: MediaKind): Promise<void>;
  /** A connection is gone for good: removes the bindings that only it could reach. One with push parameters stays. */
  dropFlow(flowId: string): Promise<void>;
  /** The same for all connections of this node's earlier boots. */
  dropOtherBoots(node: string, boot: string): Promise<void>;
  /** Removes this binding, unless its client has come back by another flow meanwhile. */
  drop(binding: Pick<Binding, 'aor' | 'key' | 'flowId'>): Promise<void>;
  /** For the statistics: exact as long as they are few, else as of some seconds ago. */
  count(): Promise<number>;
  /** For the REST list: ordered by AOR, after `after`. */
  list(page: { readonly limit: number; readonly after?: string }): Promise<readonly Binding[]>;
  /** Those of this node that are reached by a flow over UDP: ordered by its id, after `after`. */
  overUdp(page: {
    readonly node: string;
    readonly limit: number;
    readonly after?: string;
  }): Promise<readonly Binding[]>;
}

// --- calls -----------------------------------------------------------------------------------------------------------

export interface DialogSide {
  readonly uri: string;
  readonly tag: string;
  /** The Contact URI: where requests to this side are addressed. */
  readonly remoteTarget: string;
  /** Route set towards this side beyond us, nearest first. */
  readonly routeSet: readonly string[];
  /** The highest CSeq this side has sent. */
  readonly cseq: number;
  /** Its flow now; `undefined`: reached at its remote target as RFC 3261 says. */
  readonly flowId: string | undefined;
  /** The node that has this flow; `undefined`: the one that has the record. */
  readonly node?: string | undefined;
  /** `aor` and binding key of a registered side, so that its dialogs follow it to a new flow. */
  readonly binding: { readonly aor: string; readonly key: string } | undefined;
  readonly media: MediaKind;
  /** Index of the listener on its side. */
  readonly listener: number;
}

/** The dialog record of a call (DESIGN §5): what a call needs to be ended or moved. */
export interface DialogRecord {
  readonly callId: string;
  /** Ours in its Record-Route: a call that passes us twice has a record, and a token, of each pass. */
  readonly token: string;
  readonly caller: DialogSide;
  readonly callee: DialogSide;
  /** The rtpengine node that holds its media; `undefined` when media does not pass us. */
  readonly mediaNode: string | undefined;
  /** What it calls the session there; `undefined`: the Call-ID. */
  readonly mediaName: string | undefined;
  readonly answeredAtMs: number;
  /** The node (proxy) that wrote it. */
  readonly node: string;
}

export interface DialogStore {
  /** Inserts or replaces, by Call-ID and caller tag and callee tag. Grouped; resolves when committed. */
  save(record: DialogRecord): Promise<void>;
  remove(record: DialogRecord): Promise<void>;
  /** All records of this node, at start. */
  load(node: string): Promise<readonly DialogRecord[]>;
  /** The one between these two with this token, or without one any, whichever node has it. */
  find(callId: string, oneTag: string, otherTag: string, token?: string): Promise<DialogRecord | undefined>;
  /** The newest first: at most `limit`, and what was answered in the same instant as the last of them. */
  up(wanted: UpAtNodes): Promise<readonly DialogRecord[]>;
  /** Whether a call of any node has its media under this name, or this Call-ID. */
  hasMedia(name: string): Promise<boolean>;
  /** All records of a node that is gone become those of another, unless it is back by now or somebody else took them. */
  adopt(gone: string, by: string): Promise<readonly DialogRecord[]>;
}

/** Whole-call deletes that rtpengine has not confirmed, kept over a restart (DESIGN §4). */
export interface MediaOutbox {
  add(entry: OutboxEntry): Promise<void>;
  done(entry: OutboxEntry): Promise<void>;
  pending(): Promise<readonly OutboxEntry[]>;
}

export interface OutboxEntry {
  readonly callId: string;
  readonly mediaNode: string;
  readonly createdAtMs: number;
}

/** The story of a call that failed, kept over a restart so that it can be explained. */
export interface FailedCall {
  readonly id: string;
  readonly callId: string;
  readonly node: string;
  readonly from: string;
  readonly to: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly status: number | undefined;
  readonly code: string | undefined;
  /** JSON in ASCII (src/story/kept.ts). */
  readonly story: string;
}

export interface FailedCallStore {
  /** Inserts or replaces, by id. */
  save(call: FailedCall): Promise<void>;
  find(id: string): Promise<FailedCall | undefined>;
}

// --- rtpengine -------------------------------------------------------------------------------------------------------

export type MediaNodeState = 'up' | 'down' | 'busy' | 'draining';

export interface MediaNode {
  /** Stable over restarts: made of its address. */
  readonly id: string;
  /** As in RTPENGINE, such as `udp:127.0.0.1:22222`. */
  readonly address: string;
  readonly weight: number;
  readonly state: MediaNodeState;
  /** Ports from `statistics`; `undefined` until it answered once. */
  readonly ports: { readonly used: number; readonly free: number } | undefined;
  /** The last failure in words; `undefined` when there was none. */
  readonly lastError: string | undefined;
}

export interface MediaRelay {
  /** The nodes a new call may try, best first (weighted rendezvous hash of the Call-ID over usable nodes). */
  candidates(callId: string): readonly string[];
  /**
   * One command to one node, repeated with the same cookie until answered. Rejects with a `Failure` (media-*).
   * `used`: is told the cookie, by which the command is found in the log of rtpengine.
   */
  send(nodeId: string, command: NgCommand, used?: (cookie: string) => void): Promise<NgReply>;
  nodes(): readonly MediaNode[];
  /** Of a node, for the log: asked with each command, so it costs nothing. `undefined`: it is none of ours. */
  addressOf(nodeId: string): string | undefined;
}

/** An rtpengine that RTPENGINE does not name. */
export interface AddedNode {
  readonly address: string;
  readonly weight: number;
  readonly draining: boolean;
}

/** Committed when it resolves. */
export interface AddedNodeStore {
  list(): Promise<readonly AddedNode[]>;
  add(address: string, weight: number): Promise<void>;
  /** Nothing happens to one that is not there. */
  change(address: string, change: { readonly weight?: number; readonly draining?: boolean }): Promise<void>;
  remove(address: string): Promise<void>;
}

// --- metrics ---------------------------------------------------------------------------------------------------------

/** One metric of Prometheus with all its label sets. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** Of a histogram: `_bucket`, `_sum` or `_count`. */
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

// --- logging ---------------------------------------------------------------------------------------------------------

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** What is less than `level` is not written; it may change at any time. */
export interface LevelledLog extends Log {
  level: LogLevel;
}
