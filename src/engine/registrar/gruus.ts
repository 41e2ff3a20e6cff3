/**
 * Which of our addresses is what (RFC 5627): an account, or by a GRUU one device of it. Whoever asks for the account of an
 * address asks here, for a temporary GRUU does not show it.
 */
import { parseUri } from '../../message/uri.ts';
import { type Gruu, readGruu } from '../../registrar/gruu.ts';
import type { Domains } from '../domains.ts';

/** An account, or one device of it. */
export interface Named {
  readonly aor: string;
  readonly gruu: Gruu | undefined;
  /** By a SIPS URI: it is reached over TLS or WSS, or not at all (RFC 5630). */
  readonly isSecure?: boolean;
}

const mayBeGruu = /;gr(?=[;=?]|$)/i;

export class Gruus {
  readonly #domains: Domains;
  /** The first enciphers; the others are old ones. */
  readonly #secrets: readonly string[];

  constructor(domains: Domains, secrets: readonly string[]) {
    this.#domains = domains;
    this.#secrets = secrets;
  }

  get secret(): string | undefined {
    return this.#secrets[0];
  }

  /** `invalid`: a GRUU of ours by its form, and never given by us. `undefined`: any other address. */
  read(text: string): Gruu | 'invalid' | undefined {
    if (!mayBeGruu.test(text)) return undefined;
    const uri = parseUri(text);
    if (uri === undefined || !this.#domains.isOurs(uri)) return undefined;
    return readGruu(uri, (one) => this.#domains.domainOf(one), this.#secrets);
  }

  /** `undefined`: it names nobody, as an invalid GRUU does. */
  named(text: string): Named | undefined {
    const gruu = this.read(text);
    if (gruu === 'invalid') return undefined;
    if (gruu !== undefined) return { aor: gruu.aor, gruu, isSecure: gruu.isSecure };
    const uri = parseUri(text);
    return uri === undefined
      ? undefined
      : { aor: this.#domains.aorOf(uri), gruu: undefined, isSecure: uri.scheme === 'sips' };
  }

  /** The same for an address that may be somebody else's. */
  ours(text: string): Named | undefined {
    return this.#domains.isOursText(text) ? this.named(text) : undefined;
  }

  /** The address-of-record of a user of ours. */
  accountOf(text: string): string | undefined {
    const gruu = this.read(text);
    if (gruu === undefined) return this.#domains.accountOf(text);
    return gruu === 'invalid' ? undefined : gruu.aor;
  }
}
