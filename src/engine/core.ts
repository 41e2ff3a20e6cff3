/**
 * What the parts of the engine share: the ports, the services and the settings of this process. Made once, in engine.ts.
 */

import type { Rate } from '../auth/rate.ts';
import { errors, type Failure } from '../errors.ts';
import { type Field, field } from '../message/build.ts';
import { Reason } from '../message/headers/text.ts';
import type { Via } from '../message/headers/via.ts';
import { quote } from '../message/params.ts';
import type {
  AliasStore,
  CallRecordStore,
  ChangeStore,
  Clock,
  DialogStore,
  FailedCallStore,
  Listener,
  Load,
  LocationStore,
  Log,
  MediaOutbox,
  MediaRelay,
  MessageStore,
  MetricFamily,
  Network,
  NodeAddress,
  NodeStore,
  PresenceStore,
  PushService,
  Random,
  Resolver,
  SessionStore,
  SubscriberAccounts,
  TokenVerifier,
} from '../ports.ts';
import type { PresencePolicy } from '../presence/authorize.ts';
import type { RegisterLimits } from '../registrar/register.ts';
import type { Proxy, Routes } from './api.ts';
import type { Protection, ProtectionOptions } from './auth/protection.ts';
import type { Sessions } from './auth/sessions.ts';
import type { CallLimits } from './dialog/call-limits.ts';
import type { Dialogs } from './dialog/dialogs.ts';
import type { Untold } from './dialog/untold.ts';
import type { Domains } from './domains.ts';
import type { ClientUser } from './live-transaction.ts';
import type { Media } from './media/media.ts';
import type { Leftovers } from './media/media-leftovers.ts';
import type { MediaWatch } from './media/media-watch.ts';
import type { Changes } from './nodes/changes.ts';
import type { Membership } from './nodes/membership.ts';
import type { NodeRouting } from './nodes/node-routing.ts';
import type { Overload } from './overload.ts';
import type { Messages } from './presence/messages.ts';
import type { Presence } from './presence/presence.ts';
import type { NextHops } from './proxy/next-hop.ts';
import type { Gruus } from './registrar/gruus.ts';
import type { Registrar } from './registrar/registrar.ts';
import type { Sleepers } from './registrar/sleepers.ts';
import { wordsFor } from './replies.ts';
import type { Counters } from './statistics/counters.ts';
import type { RefusalLog } from './statistics/refusal-log.ts';
import type { Timings } from './statistics/timings.ts';
import type { CallRecords } from './story/call-records.ts';
import type { FailedCalls } from './story/failed-calls.ts';
import type { Happenings } from './story/happenings.ts';
import type { Stories } from './story/stories.ts';
import type { TransactionLimits, Transactions } from './transactions.ts';

export interface EnginePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly resolver: Resolver;
  readonly subscribers: SubscriberAccounts;
  readonly aliases: AliasStore;
  readonly sessions: SessionStore;
  readonly location: LocationStore;
  readonly dialogs: DialogStore;
  readonly outbox: MediaOutbox;
  readonly failedCalls: FailedCallStore;
  readonly callRecords: CallRecordStore;
  readonly presence: PresenceStore;
  readonly messages: MessageStore;
  readonly media: MediaRelay;
  readonly database: { state(): 'up' | 'down'; trouble(): Failure | undefined; waiting(): number };
  readonly log: Log;
  /** Absent: nobody logs in by a token. */
  readonly tokens?: TokenVerifier | undefined;
  /** Absent: this is the only node. */
  readonly nodes?: NodeStore;
  readonly changes?: ChangeStore;
  /** The rtpengine nodes that were added over REST, here or at another node; absent: none are. Never throws. */
  readonly addedNodes?: { readAgain(): void } | undefined;
  /** Absent: nobody is woken. */
  readonly push?: PushService | undefined;
  /** Absent: it is never too busy. */
  readonly load?: Load;
  /** Of the process that the engine runs in. */
  readonly processMetrics?: { read(): readonly MetricFamily[] };
}

export interface EngineOptions {
  /** This process among its equals; the same after a restart. */
  readonly node: string;
  /** This run of it: 6 hex digits. */
  readonly boot: string;
  /** Where other nodes reach this one; absent: there are none. */
  readonly nodeAddress?: NodeAddress | undefined;
  /** Sign tokens and nonces; the first signs, all verify. */
  readonly secrets: readonly string[];
  /** Our domains. */
  readonly domains: readonly string[];
  /** Whether an address is in a TRUSTED network. */
  readonly isTrusted: (address: string) => boolean;
  readonly acceptForeign: boolean;
  readonly graceMs: number;
  readonly timerCMs: number;
  /** Of an account, where it does not say itself; absent or 0: no limit. */
  readonly maxCalls?: number;
  /** A registered device that says nothing to a call, not even 100, is not waited for after this; absent or 0: timer B. */
  readonly tryingMs?: number;
  /** Default `defaultLimits`. */
  readonly registrar?: RegisterLimits;
  /** How often a UDP client behind NAT is asked whether it is there; absent or 0: never. */
  readonly keepAliveMs?: number;
  /** A call whose media has been silent for this long is ended; absent or 0: never. */
  readonly mediaIdleMs?: number;
  /** rtpengine has a folder for recordings (RECORDING_DIR). */
  readonly canRecord?: boolean;
  /** RECORD_CALLS=all: what `routes/natmanage.ts` asks. */
  readonly recordsAll?: boolean;
  /** CALL_RECORD_DAYS is not 0; absent: a record is kept of each call. */
  readonly keepsCalls?: boolean;
  /** How long a call waits for a device that is woken. */
  readonly pushMs?: number | undefined;
  /** Who may watch whom where no rule says (PRESENCE). */
  readonly presence: PresencePolicy;
  readonly version: string;
  /** Default: what one process can hold. */
  readonly transactionLimits?: TransactionLimits | undefined;
  /** Absent: nobody is refused for what he does. */
  readonly protection?: ProtectionOptions | undefined;
}

export interface Core {
  readonly ports: EnginePorts;
  readonly options: EngineOptions;
  readonly routes: Routes;
  readonly proxy: Proxy;
  readonly transactions: Transactions;
  readonly media: Media;
  readonly dialogs: Dialogs;
  readonly untold: Untold;
  readonly nodes: Membership;
  /** How a request gets to them. */
  readonly nodeRouting: NodeRouting;
  /** What other nodes are told. */
  readonly changes: Changes;
  readonly registrar: Registrar;
  readonly gruus: Gruus;
  readonly presence: Presence;
  readonly messages: Messages;
  readonly sleepers: Sleepers;
  readonly callLimits: CallLimits;
  readonly sessions: Sessions;
  readonly nextHops: NextHops;
  readonly domains: Domains;
  readonly counters: Counters;
  readonly timings: Timings;
  readonly protection: Protection;
  readonly overload: Overload;
  readonly refusals: RefusalLog;
  /** Callers of other domains, by address. */
  readonly foreign: Rate;
  /** Requests that begin something new are refused from now on; those in progress go on. */
  draining: boolean;
  readonly stories: Stories;
  readonly failedCalls: FailedCalls;
  readonly callRecords: CallRecords;
  readonly happenings: Happenings;
  readonly mediaWatch: MediaWatch;
  readonly leftovers: Leftovers;
}

/** Our Via for a request that leaves by this listener. */
export function viaFor(listener: Listener, branch: string): Via {
  const { host, port } = listener.advertised;
  return { transport: listener.transport.toUpperCase(), host, port, params: [['branch', branch]] };
}

/** RFC 3326, for a BYE of ours: why (law 8). */
export function reasonField({ code, detail }: Failure): Field {
  return field(Reason, `SIP;cause=${errors[code].status};text=${quote(wordsFor(code, detail))}`);
}

/** For a request of ours whose answer changes nothing: a CANCEL, a BYE of ours. */
export const nobody: ClientUser = { response: () => undefined, failed: () => undefined, terminated: () => undefined };
