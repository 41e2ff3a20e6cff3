/**
 * The keys of the identity server (JWKS, RFC 7517): read at the start, again every ten minutes, and when a token names a
 * key that is not among them, which is how servers change keys.
 *
 * A server that does not answer changes nothing: the keys that are known stay, or its outage would end every login.
 * Bounded: one reading at a time, and not more often than every half minute, whatever key names strangers make up.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Cancel, Clock, Log } from '../../ports.ts';

export interface KeysOptions {
  /** The text of a JWKS; rejects with the reason. */
  readonly read: () => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface KeysState {
  /** How many keys tokens may be signed with. */
  readonly known: number;
  /** Why they could not be read the last time, if so. */
  readonly failed: string | undefined;
}

const refreshMs = 600_000;
const retryMs = 30_000;
const mostKeys = 100;

/** What RFC 7518 §6 calls the private parts of a key. */
const privateParts = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export class Keys {
  readonly #options: KeysOptions;
  #keys: JWTVerifyGetKey | undefined;
  #reading: Promise<void> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #count = 0;
  /** Why the last reading failed, if it did. */
  #failed: string | undefined;
  #cancel: Cancel | undefined;
  #closed = false;

  constructor(options: KeysOptions) {
    this.#options = options;
  }

  /** Rejects when they cannot be read or used; they are tried again all the same. */
  async start(): Promise<void> {
    try {
      await this.#readNow();
    } finally {
      this.#again();
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  /** Whether any were ever read; if not, they are now, if it is time. */
  async areKnown(): Promise<boolean> {
    if (this.#keys === undefined && this.#mayRead()) await this.#readOrTell();
    return this.#keys !== undefined;
  }

  /** The last reading failed. */
  get areOutOfDate(): boolean {
    return this.#failed !== undefined;
  }

  get state(): KeysState {
    return { known: this.#count, failed: this.#failed };
  }

  /** The key for a token with this header; throws what `jose` throws when there is none. */
  readonly find: JWTVerifyGetKey = async (...token) => {
    try {
      return await this.#known(...token);
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey) || !this.#mayRead()) throw thrown;
      await this.#readOrTell();
      return this.#known(...token);
    }
  };

  #known: JWTVerifyGetKey = (...token) => {
    if (this.#keys === undefined) throw new errors.JWKSNoMatchingKey();
    return this.#keys(...token);
  };

  #mayRead(): boolean {
    return this.#reading !== undefined || this.#options.clock.nowMs() - this.#readAtMs >= retryMs;
  }

  #again(): void {
    if (this.#closed) return;
    const delayMs = this.areOutOfDate ? retryMs : refreshMs;
    this.#cancel = this.#options.clock.after(delayMs, () => void this.#readOrTell().then(() => this.#again()));
  }

  async #readOrTell(): Promise<void> {
    const wasFailed = this.areOutOfDate;
    try {
      await this.#readNow();
      if (wasFailed) this.#options.log.info({}, 'The keys of JWT_KEYS can be read again');
    } catch (thrown) {
      const fields = { error: reasonOf(thrown), known: this.#count };
      if (!wasFailed) this.#options.log.warn(fields, 'The keys of JWT_KEYS cannot be read; those that are known stay');
    }
  }

  #readNow(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    this.#readAtMs = this.#options.clock.nowMs();
    try {
      const set = usableKeys(await this.#options.read());
      this.#keys = createLocalJWKSet(set);
      this.#count = set.keys.length;
      this.#failed = undefined;
    } catch (thrown) {
      this.#failed = reasonOf(thrown);
      throw thrown;
    }
  }
}

export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function usableKeys(text: string): JSONWebKeySet {
  const keys = keysIn(text).filter(({ kty }) => kty === 'RSA' || kty === 'EC' || kty === 'OKP');
  if (keys.length === 0) throw new Error('it holds no key of type RSA, EC or OKP');
  if (keys.length > mostKeys) throw new Error(`it holds more than ${mostKeys} keys`);
  // Who can read it could sign as the identity server.
  if (keys.some((key) => privateParts.some((part) => part in key))) {
    throw new Error('it holds a private key: give the public parts only');
  }
  return { keys };
}

type Jwk = JSONWebKeySet['keys'][number];

function keysIn(text: string): readonly Jwk[] {
  const set = parsed(text);
  if (typeof set === 'object' && set !== null && 'keys' in set && Array.isArray(set.keys))
    return set.keys.filter(isKey);
  throw new Error('it is no JWKS: {"keys": [...]}');
}

function isKey(one: unknown): one is Jwk {
  return typeof one === 'object' && one !== null && 'kty' in one && typeof one.kty === 'string';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is no JSON');
  }
}
