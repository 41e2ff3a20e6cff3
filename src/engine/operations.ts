/**
 * What REST, the pages and the command line may ask of a running proxy: plain data out, no SIP objects.
 * `routes/http/` sees this file and nothing else of the engine.
 */
import type {
  EventPackage,
  LegRecord,
  LogLevel,
  Mailbox,
  MediaKind,
  MediaNode,
  SubscriptionState,
  Transport,
  WatcherRule,
} from '../ports.ts';
import type { Explanation } from '../story/explanation.ts';
import type { LadderLine } from '../story/ladder.ts';
import type { Party } from '../story/passages.ts';
import type { Step, Tone } from '../story/steps.ts';
import type { CallState, Recording } from '../story/story.ts';

export type { LegRecord, Mailbox, WatcherPolicy, WatcherRule } from '../ports.ts';
export type { CallState } from '../story/story.ts';

export interface Health {
  /** `draining`: it will stop when the calls in progress have ended, and takes no new ones. */
  readonly status: 'ok' | 'degraded' | 'draining';
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly database: 'up' | 'down';
  /** `none`: no node is configured; calls that need media are refused. */
  readonly media: 'up' | 'down' | 'none';
  /** Viaducts over this database that are there, this one among them; 0 where NODE_ADDRESS is not set. */
  readonly nodes: number;
}

/** One Viaduct of many over the same database. */
export interface NodeReport {
  readonly id: string;
  /** As in NODE_ADDRESS. */
  readonly address: string;
  readonly isSelf: boolean;
  /** Since it said that it is there. */
  readonly silentSeconds: number;
}

export interface Statistics {
  readonly uptimeSeconds: number;
  readonly registrations: { readonly bindings: number };
  readonly calls: {
    readonly inProgress: number;
    readonly ringing: number;
    readonly answered: number;
    readonly failed: number;
  };
  /** `notifying`: subscriptions with a NOTIFY on its way, or waiting for its time. */
  readonly presence: { readonly publications: number; readonly subscriptions: number; readonly notifying: number };
  readonly transactions: { readonly server: number; readonly client: number };
  readonly connections: Readonly<Record<Exclude<Transport, 'udp'>, number>>;
  readonly messages: {
    /** By method; methods we do not know are counted as `other`. */
    readonly requests: Readonly<Record<string, number>>;
    /** By status code of the responses sent upstream. */
    readonly responses: Readonly<Record<string, number>>;
    readonly dropped: Readonly<Record<string, number>>;
  };
  /** How often each row of `errors.ts` refused something. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly rtpengine: readonly MediaNode[];
  /** `lastError`: why it is `down`. */
  readonly database: {
    readonly state: 'up' | 'down';
    readonly waiting: number;
    readonly lastError: string | undefined;
  };
  /** Viaducts over the same database, this one first; empty where NODE_ADDRESS is not set. All other numbers are of this one. */
  readonly nodes: readonly NodeReport[];
}

/** The rtpengine nodes, and what may be changed about them. A change of a node that is not there is `undefined`. */
export interface MediaNodes {
  nodes(): readonly MediaNode[];
  /** `undefined`: it is there already. Throws a `Failure` when this is no address. */
  addNode(address: string, weight: number): MaybeLater<MediaNode | undefined>;
  /** Draining: its calls go on, and new ones go elsewhere. */
  changeNode(
    id: string,
    change: { readonly weight?: number; readonly draining?: boolean },
  ): MaybeLater<MediaNode | undefined>;
  /** Nothing reaches it any more: no call may be on it. */
  removeNode(id: string): MaybeLater<boolean>;
}

type MaybeLater<T> = T | Promise<T>;

export interface Registration {
  readonly aor: string;
  readonly contact: string;
  /** The address of this device alone, for everybody (RFC 5627); `undefined`: it names no instance. */
  readonly publicGruu: string | undefined;
  readonly transport: Transport;
  readonly source: string;
  readonly userAgent: string;
  readonly media: MediaKind | undefined;
  readonly q: number;
  /** ISO 8601. */
  readonly expiresAt: string;
}

export interface CallSummary {
  /** base64url of a hash of the Call-ID: safe in paths (DESIGN §5). */
  readonly id: string;
  readonly callId: string;
  /** The other node of ours that has it, while it is up; `undefined`: this one. */
  readonly node?: string | undefined;
  /** `failed`: refused by anybody, or ended by us; a call that its caller gave up is `ended`. */
  readonly state: CallState;
  readonly from: string;
  readonly to: string;
  /** What was dialled, whatever To says. */
  readonly requestUri?: string | undefined;
  readonly startedAt: string;
  readonly answeredAt: string | undefined;
  readonly callerMedia: MediaKind | undefined;
  readonly calleeMedia: MediaKind | undefined;
  readonly rtpengine: string | undefined;
  readonly endedAt: string | undefined;
  readonly endedBy: 'caller' | 'callee' | 'viaduct' | undefined;
  /** The final status that the caller got. */
  readonly status: number | undefined;
  /** The row of `errors.ts` by which we refused or ended it, and its meaning. */
  readonly code: string | undefined;
  readonly reason: string | undefined;
  /** What the watch over its media found last. */
  readonly mediaFault: MediaFault | undefined;
  /** `undefined`: it never was recorded. */
  readonly recording: Recording | undefined;
  /** The caller, then the callee that answered: as rtpengine said last. */
  readonly legs: readonly LegRecord[];
}

export type CallSide = 'caller' | 'callee' | 'both';
export type RecordingAction = 'start' | 'pause' | 'stop';

/** One of `file` and `audio`. */
export interface Sound {
  /** On the machine of rtpengine. */
  readonly file?: string;
  /** A whole sound file, one character a byte. */
  readonly audio?: string;
  readonly times?: number;
}

/** What may be done to the media of a call that is up. No such call: `undefined` or `false`. */
export interface MediaControls {
  record(id: string, action: RecordingAction): Promise<CallSummary | undefined>;
  play(id: string, to: CallSide, sound: Sound): Promise<boolean>;
  stopPlaying(id: string, to: CallSide): Promise<boolean>;
  block(
    id: string,
    what: { readonly of: CallSide; readonly what: 'media' | 'DTMF' },
    blocked: boolean,
  ): Promise<boolean>;
}

export interface MediaFault {
  /** Of a verdict. */
  readonly code: string;
  readonly says: string;
  readonly nextStep: string;
}

export interface CallsRequest extends PageRequest {
  /** Absent: all that are known. */
  readonly state?: CallState;
  /** Calls that this address made or took: `alice@example.com`, or `alice` in the first domain. */
  readonly account?: string;
  /** Begun at this time or later, and before that one: ISO 8601. */
  readonly since?: string;
  readonly until?: string;
  /** Fails while the database does not answer, rather than answering in part. */
  readonly whole?: boolean;
}

/** A call as a ladder: who took part, each step, and the drawing as text. */
export interface LadderReport {
  readonly call: CallSummary;
  readonly parties: readonly Party[];
  readonly steps: readonly LadderStep[];
  /** 100 columns wide at most. */
  readonly lines: readonly LadderLine[];
  /** Events that were left out to save memory. */
  readonly dropped: number;
}

export interface LadderStep {
  readonly kind: Step['kind'];
  /** F1, F2, …: messages only. */
  readonly number: number | undefined;
  /** ISO 8601, and milliseconds since the call began. */
  readonly at: string;
  readonly sinceMs: number;
  /** Which of the parties stands at the other end; `undefined`: it is a step of Viaduct itself. */
  readonly party: number | undefined;
  /** From that party to Viaduct; otherwise the other way. */
  readonly incoming: boolean;
  readonly label: string;
  readonly tone: Tone;
  /** How often it passed, and when last. */
  readonly times: number;
  readonly lastSinceMs: number;
  /** The whole message, without credentials. */
  readonly text: string | undefined;
}

/** Why a call went as it did. */
export interface CallExplanation extends Explanation {
  readonly call: CallSummary;
}

/** What `GET /api/v1/events` tells, as it happens. */
export type Happening =
  | {
      readonly type: 'call';
      readonly change: 'started' | 'answered' | 'ended' | 'failed';
      readonly call: CallSummary;
    }
  /** Its media is not as it should be, or is well again (`mediaFault`). */
  | { readonly type: 'media'; readonly call: CallSummary }
  /** The bindings of an address changed: look at /registrations. */
  | { readonly type: 'registration'; readonly aor: string; readonly source: string }
  /** Its state is not what it was. */
  | { readonly type: 'node'; readonly node: MediaNode }
  /** Every two seconds. */
  | { readonly type: 'counters'; readonly statistics: Statistics };

/** A live publication; its document is for watchers. */
export interface PublicationSummary {
  readonly aor: string;
  readonly event: EventPackage;
  readonly contentType: string;
  readonly bytes: number;
  /** ISO 8601. */
  readonly expiresAt: string;
}

export interface SubscriptionSummary {
  readonly resource: string;
  readonly event: EventPackage;
  readonly watcher: string;
  readonly state: SubscriptionState;
  /** Of the NOTIFY requests sent so far. */
  readonly notifications: number;
  readonly contact: string;
  readonly since: string;
  readonly expiresAt: string;
}

export interface SubscriberSummary {
  /** `alice@example.com` */
  readonly address: string;
  readonly disabled: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  /** When the password was last set. */
  readonly updatedAt: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass as `after` for the next page; `undefined` on the last one. */
  readonly next: string | undefined;
}

export interface PageRequest {
  /** 1 to 1000. */
  readonly limit: number;
  readonly after?: string;
}

/** What a reload has done; it throws what is wrong, and then nothing has changed. */
export interface ReloadReport {
  /** What changed, in words. */
  readonly changed: readonly string[];
  /** Settings that have changed and wait for a restart. */
  readonly needsRestart: readonly string[];
}

/** One thing that the doctor looked at (src/doctor). */
export interface Finding {
  /** `listeners`, `dns`, `certificate`, `rtpengine`, … */
  readonly check: string;
  readonly level: 'ok' | 'notice' | 'warning' | 'error';
  readonly says: string;
  /** What to do; empty where nothing is to be done. */
  readonly cure: string;
}

/** A source that was refused for what it did; its ban may be over. */
export interface RefusedSource {
  /** An IPv4 address, or the /64 of an IPv6 address. */
  readonly source: string;
  readonly reason: 'failed-logins' | 'scanner' | 'too-many-messages' | 'too-many-connections' | 'too-many-requests';
  /** `udp`: connections from there are served. */
  readonly over: 'udp' | 'everything';
  readonly count: number;
  /** ISO 8601. */
  readonly lastAt: string;
  /** ISO 8601; `undefined`: no ban, or none any more. */
  readonly until: string | undefined;
}

/** A called name, or how it begins (src/proxy/dial-rule.ts), and what it stands for. */
export interface AliasSummary {
  readonly pattern: string;
  readonly domain: string;
  readonly target: string;
}

/** A short-lived login of an account. */
export interface SessionSummary {
  readonly id: string;
  readonly address: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** What its browser needs; the password is shown once. */
export interface SessionCredentials extends SessionSummary {
  readonly username: string;
  readonly password: string;
  /** `undefined`: no LISTEN entry is wss. */
  readonly webSocket: string | undefined;
}

/** How much is logged: may be read and set. */
export interface LevelControl {
  level: LogLevel;
}

export interface Operations extends MediaControls {
  health(): Health;
  /** Viaducts over the same database, this one first; empty where NODE_ADDRESS is not set. */
  nodes(): readonly NodeReport[];
  /** As Prometheus reads it. */
  metrics(): Promise<string>;
  statistics(): Promise<Statistics>;
  registrations(page: PageRequest): Promise<Page<Registration>>;
  /** Newest first. `partial`: the database does not answer, and only what this process remembers is there. */
  calls(page: CallsRequest): Promise<Page<CallSummary> & { readonly partial?: boolean }>;
  /** By its public id; `undefined`: unknown, or forgotten. */
  call(id: string): Promise<CallSummary | undefined>;
  ladder(id: string): Promise<LadderReport | undefined>;
  explain(id: string): Promise<CallExplanation | undefined>;
  /** Calls, ringing ones too, whose media this rtpengine has. */
  callsOnNode(id: string): number;
  /** The latest first. */
  refusedSources(): readonly RefusedSource[];
  /** An entry's `source`, or an address of it; `false`: nothing was known of it. */
  liftBan(source: string): boolean;
  /** Pages go on after an address. */
  subscribers(page: PageRequest): Promise<Page<SubscriberSummary>>;
  subscriber(address: string): Promise<SubscriberSummary | undefined>;
  /** An address without a domain is one of the first; `undefined`: there is one already. */
  addSubscriber(address: string, password: string): Promise<SubscriberSummary | undefined>;
  /** `false`, as with the next two: there is no such account. */
  setSubscriberPassword(address: string, password: string): Promise<boolean>;
  /** Disabled it cannot log in; its devices are forgotten, its connections closed and its calls ended. */
  setSubscriberDisabled(address: string, disabled: boolean): Promise<boolean>;
  /** The same, for good. */
  removeSubscriber(address: string): Promise<boolean>;
  /** Pages go on after a pattern and its domain, `0049*@example.com`. */
  aliases(page: PageRequest): Promise<Page<AliasSummary>>;
  /** A pattern without a domain is one of the first. Refused with `malformed` when it is none, or cannot point there. */
  setAlias(pattern: string, target: string): Promise<AliasSummary>;
  /** `false`: there is none. */
  removeAlias(pattern: string): Promise<boolean>;
  /** Pages go on after an id. */
  sessions(page: PageRequest): Promise<Page<SessionSummary>>;
  /** `undefined`: there is no such account, or it is disabled. */
  addSession(address: string, seconds: number): Promise<SessionCredentials | undefined>;
  /** Its connections are closed and their calls ended; `false`: there is none. */
  endSession(id: string): Promise<boolean>;
  /** Until the returned function is called. */
  watch(watcher: (happening: Happening) => void): () => void;
  publications(page: PageRequest): Promise<Page<PublicationSummary>>;
  subscriptions(page: PageRequest): Promise<Page<SubscriptionSummary>>;
  /** Who may watch this account. Addresses in any spelling; one that is none is refused with `malformed`. */
  watcherRules(presentity: string): Promise<readonly WatcherRule[]>;
  /** Holds from the next NOTIFY on, which follows by itself. */
  setWatcherRule(rule: WatcherRule): Promise<void>;
  /** `false`: there was none. */
  removeWatcherRule(presentity: string, watcher: string): Promise<boolean>;
  /** Message counts; zeros for an account that nobody has set any for. */
  mailbox(aor: string): Promise<Mailbox>;
  /** The telephones that subscribe to it are told. */
  setMailbox(mailbox: Mailbox): Promise<void>;
}
