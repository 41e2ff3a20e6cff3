/** Accounts, what they want for their calls, and the other names by which they are called. */

export interface Subscriber {
  readonly username: string;
  /** The domain; the digest realm, stored with the HA1s. */
  readonly domain: string;
  /** Lower-case hex of H(username:realm:password); the password itself is never stored. */
  readonly ha1Md5: string;
  readonly ha1Sha256: string;
  readonly calls: CallSettings;
  /** The short-lived login by which it was found; the hashes are of that. */
  readonly session?: string;
}

/** A short-lived login of an account. */
export interface Session {
  /** Its digest username. */
  readonly id: string;
  readonly username: string;
  readonly domain: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface SessionStore {
  /** The account, with the hashes of this login; `undefined` when either has ended. */
  find(id: string): Promise<Subscriber | undefined>;
  /** `false`: there is no such account, or it is disabled. */
  add(session: Session, password: string): Promise<boolean>;
  /** `false`: there is none. */
  remove(id: string): Promise<boolean>;
  /** Those of them that have not ended. */
  alive(ids: readonly string[]): Promise<readonly string[]>;
  /** By id, after that one. */
  page(limit: number, after?: string): Promise<readonly Session[]>;
}

/** A called name that is no account stands for another address: an alias, or a dial rule (src/proxy/dial-rule.ts). */
export interface Alias {
  readonly domain: string;
  /** The name, or how it begins. */
  readonly prefix: string;
  /** How many digits follow. */
  readonly digits: number;
  /** One or more digits follow behind those. */
  readonly hasRest: boolean;
  /** A name of the domain, or a SIP URI. */
  readonly target: string;
}

export interface AliasStore {
  /** Adds it, or gives the pattern another target. */
  put(alias: Alias): Promise<void>;
  /** `false`: there is none with this pattern. */
  remove(key: Omit<Alias, 'target'>): Promise<boolean>;
  /** By domain and pattern, after that one. */
  page(limit: number, after?: Omit<Alias, 'target'>): Promise<readonly Alias[]>;
}

/** What an account wants for its calls beside its devices ringing. Targets are SIP URIs. */
export interface CallSettings {
  /** No device rings. */
  readonly doNotDisturb: boolean;
  /** How long its devices ring before a call counts as unanswered. */
  readonly ringSeconds: number | undefined;
  /** At a time, made and taken. */
  readonly mostCalls: number | undefined;
  readonly forwardAlways: string | undefined;
  readonly forwardBusy: string | undefined;
  /** Nobody answers, or no device can be reached. */
  readonly forwardNoAnswer: string | undefined;
  /** Where a call goes that `forwardBusy` or `forwardNoAnswer` does not take. */
  readonly voicemail: string | undefined;
}

export interface SubscriberStore {
  /** `undefined` also for one that is disabled. `isPatient`: may wait some milliseconds, so that others are asked for with it. */
  find(username: string, domain: string, isPatient?: boolean): Promise<Subscriber | undefined>;
  /** Who is called by this name: an account, or else the best alias. */
  callee(username: string, domain: string): Promise<Subscriber | Alias | undefined>;
}

/** An account as people see it. */
export interface Account {
  readonly username: string;
  readonly domain: string;
  readonly disabled: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What provisioning may do. Text as in SIP (latin1-coded bytes), domains in any case. `false`: see each. */
export interface SubscriberAccounts extends SubscriberStore {
  /** `false`: there is one already, and it is unchanged. */
  add(username: string, domain: string, password: string): Promise<boolean>;
  /** `false`: there is no such account. */
  setPassword(username: string, domain: string, password: string): Promise<boolean>;
  /** `false`: there is no such account. */
  setDisabled(username: string, domain: string, disabled: boolean): Promise<boolean>;
  /** `false`: there is no such account. */
  remove(username: string, domain: string): Promise<boolean>;
  account(username: string, domain: string): Promise<Account | undefined>;
  /** By domain and name, after that account. */
  page(limit: number, after?: Pick<Account, 'username' | 'domain'>): Promise<readonly Account[]>;
}
