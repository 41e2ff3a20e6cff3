/**
 * What presence and messaging keep, and the stores they keep it in (`ports.ts` gives it out). Nothing here does anything.
 */

/** The event packages that are served (`src/presence/packages.ts`). */
export type EventPackage = 'presence' | 'presence.winfo' | 'dialog' | 'reg' | 'message-summary';

/** One published document (RFC 3903). */
export interface Publication {
  /** The presentity, canonical. */
  readonly aor: string;
  readonly event: EventPackage;
  readonly etag: string;
  readonly contentType: string;
  readonly body: string;
  readonly expiresAtMs: number;
}

export interface PublicationChange {
  readonly aor: string;
  readonly event: EventPackage;
  /** The entity-tag that must be there, alive; `undefined` for a first publication. */
  readonly ifMatch: string | undefined;
  /** Its next entity-tag and end; `undefined` removes it. */
  readonly next: { readonly etag: string; readonly expiresAtMs: number } | undefined;
  /** `undefined` keeps the body (RFC 3903 §4.3). */
  readonly document: { readonly contentType: string; readonly body: string } | undefined;
}

export type SubscriptionState = 'pending' | 'active' | 'terminated';

/** One subscription as the notifier keeps it (RFC 6665 §4.2): its dialog and what it is for. */
export interface Subscription {
  /** Our tag in its dialog: random, so whoever knows it is of the dialog. */
  readonly id: string;
  readonly event: EventPackage;
  /** The `id` parameter of Event. */
  readonly eventId: string | undefined;
  /** The address that is watched, canonical. */
  readonly resource: string;
  /** Who watches, canonical. */
  readonly watcher: string;
  readonly state: SubscriptionState;
  /** RFC 6665 §4.1.3: why it is terminated. */
  readonly reason: string | undefined;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly callId: string;
  readonly remoteTag: string;
  /** URI of To in the SUBSCRIBE. */
  readonly localUri: string;
  readonly remoteUri: string;
  readonly remoteTarget: string;
  /** Nearest first. */
  readonly routeSet: readonly string[];
  readonly remoteCseq: number;
  /** Of the last NOTIFY. */
  readonly cseq: number;
  /** Of the last document that counts its versions; -1 before the first. */
  readonly version: number;
  /** As in `Binding`: set when the subscriber is reached by it and nothing else (law 4). */
  readonly flowId: string | undefined;
  /** Index of the listener on its side. */
  readonly listener: number;
  readonly node: string;
  readonly boot: string;
}

/** RFC 5025 §3.2.1, as far as one can say it of one watcher. */
export type WatcherPolicy = 'allow' | 'block' | 'polite-block';

export interface WatcherRule {
  readonly presentity: string;
  readonly watcher: string;
  readonly policy: WatcherPolicy;
}

/** Message counts of a mailbox (RFC 3842 §5.2). */
export interface Mailbox {
  readonly aor: string;
  readonly newMessages: number;
  readonly oldMessages: number;
  readonly newUrgent: number;
  readonly oldUrgent: number;
}

/** Committed when a promise resolves (law 5). */
export interface PresenceStore {
  /** The live ones, newest first. */
  publications(aor: string, event: EventPackage): Promise<readonly Publication[]>;
  /** `no-match`: there is no live publication with that entity-tag; nothing was changed. */
  publish(change: PublicationChange): Promise<'stored' | 'no-match'>;
  /** Removes publications that have ended; resolves with what they were about. */
  expirePublications(limit: number): Promise<readonly Pick<Publication, 'aor' | 'event'>[]>;

  /** Adds it, or brings it up to date but for cseq and version. `false`: a request of it with a higher CSeq was there. */
  subscribe(subscription: Subscription): Promise<boolean>;
  find(id: string): Promise<Subscription | undefined>;
  /** All of a resource that are not terminated, of every node. */
  subscribers(resource: string, event: EventPackage): Promise<readonly Subscription[]>;
  /** Counts cseq and version up for one NOTIFY. With the rule for its watcher as it is now. */
  claim(id: string): Promise<ClaimedSubscription | undefined>;
  /** As the rules of the presentity have it now. */
  setState(id: string, state: SubscriptionState, reason: string | undefined): Promise<void>;
  /** Its last NOTIFY is answered, or cannot be. */
  forget(id: string): Promise<void>;
  /** What the subscriptions of this node are about, at start. */
  watched(node: string): Promise<readonly Pick<Subscription, 'resource' | 'event'>[]>;
  /** Subscriptions of this node that have ended and whose last NOTIFY is still owed. */
  ended(node: string, limit: number): Promise<readonly string[]>;
  /** A connection is gone for good: removes what only it could reach. */
  dropFlow(flowId: string): Promise<void>;
  /** The same for the connections of the node's earlier runs. */
  dropEarlierBoots(node: string, boot: string): Promise<void>;
  /** Those of a node that is gone are another's from now on, unless it is back or somebody else took them. */
  adopt(gone: string, by: { readonly node: string; readonly boot: string }): Promise<void>;
  /** What a SUBSCRIBE must know: the rule, and how many subscriptions the watcher has. */
  standing(presentity: string, watcher: string): Promise<WatcherStanding>;

  setRule(rule: WatcherRule): Promise<void>;
  removeRule(presentity: string, watcher: string): Promise<boolean>;
  rules(presentity: string): Promise<readonly WatcherRule[]>;

  mailbox(aor: string): Promise<Mailbox | undefined>;
  setMailbox(mailbox: Mailbox): Promise<void>;

  /** How many of each live, for the statistics. */
  counts(): Promise<{ readonly publications: number; readonly subscriptions: number }>;
  /** For the REST lists: ordered by AOR, after `after`, whole AORs. */
  listPublications(page: { readonly limit: number; readonly after?: string }): Promise<readonly Publication[]>;
  listSubscriptions(page: { readonly limit: number; readonly after?: string }): Promise<readonly Subscription[]>;
}

export interface ClaimedSubscription {
  readonly subscription: Subscription;
  readonly policy: WatcherPolicy | undefined;
}

export interface WatcherStanding {
  readonly policy: WatcherPolicy | undefined;
  readonly subscriptions: number;
}

/** RFC 4235 §3.7.1, as far as a proxy sees it. */
export type CallPhase = 'trying' | 'early' | 'confirmed' | 'terminated';

/** One call as one of its parties has it. */
export interface PartyCall {
  /** Unique among the calls of the account; the same for its whole life. */
  readonly id: string;
  readonly direction: 'initiator' | 'recipient';
  readonly phase: CallPhase;
  /** The other party, canonical. */
  readonly remote: string;
}

/** A MESSAGE that waits for its recipient (RFC 3428 §7). */
export interface StoredMessage {
  readonly id: string;
  /** The recipient, canonical. */
  readonly aor: string;
  /** The text of its From, without the tag. */
  readonly from: string;
  readonly contentType: string;
  readonly body: string;
  readonly sentAtMs: number;
  readonly expiresAtMs: number;
}

export interface MessageStore {
  /** `full`: so many wait for the recipient already; nothing was stored. Committed when it resolves (law 5). */
  store(message: StoredMessage, most: number): Promise<'stored' | 'full'>;
  /** The live ones, oldest first. */
  waitingFor(aor: string, limit: number): Promise<readonly StoredMessage[]>;
  /** Delivered. */
  delivered(id: string): Promise<void>;
  /** A device refused it; after so many tries it is given up. */
  refused(id: string, mostTries: number): Promise<void>;
  /** Recipients for whom something waits. */
  recipients(limit: number): Promise<readonly string[]>;
}
