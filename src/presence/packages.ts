/**
 * The event packages that are served here, a row each (RFC 6665 §5.4): what a NOTIFY carries, how long a subscription
 * lives, how often it hears of something, and who may have it.
 */
import type { EventPackage } from '../ports.ts';

export interface PackageRow {
  /** The body of its NOTIFY. */
  readonly contentType: string;
  /** What a PUBLISH of it carries; `undefined`: nobody publishes it. */
  readonly published: string | undefined;
  readonly defaultSeconds: number;
  readonly minSeconds: number;
  readonly maxSeconds: number;
  /** At least this long between two notifications of a subscription; those between become one. */
  readonly paceMs: number;
  /**
   * `watchers`: whom the rules of the presentity and PRESENCE let; `owner`: the account itself, whose devices or mailbox
   * or watchers it tells of.
   */
  readonly who: 'watchers' | 'owner';
}

export const packages: Readonly<Record<EventPackage, PackageRow>> = {
  // RFC 3856 §6.4, §6.10; RFC 3863
  presence: {
    contentType: 'application/pidf+xml',
    published: 'application/pidf+xml',
    defaultSeconds: 3600,
    minSeconds: 60,
    maxSeconds: 7200,
    paceMs: 5_000,
    who: 'watchers',
  },
  // RFC 3857 §4.4, §4.10; RFC 3858
  'presence.winfo': {
    contentType: 'application/watcherinfo+xml',
    published: undefined,
    defaultSeconds: 3600,
    minSeconds: 60,
    maxSeconds: 7200,
    paceMs: 5_000,
    who: 'owner',
  },
  // RFC 4235 §3.4, §3.10
  dialog: {
    contentType: 'application/dialog-info+xml',
    published: undefined,
    defaultSeconds: 3600,
    minSeconds: 60,
    maxSeconds: 7200,
    paceMs: 1_000,
    who: 'watchers',
  },
  // RFC 3680 §4.4 (its default of 3761 s fits the longest registration), §4.10
  reg: {
    contentType: 'application/reginfo+xml',
    published: undefined,
    defaultSeconds: 3761,
    minSeconds: 60,
    maxSeconds: 7200,
    paceMs: 5_000,
    who: 'owner',
  },
  // RFC 3842 §3.4, §3.10
  'message-summary': {
    contentType: 'application/simple-message-summary',
    published: undefined,
    defaultSeconds: 3600,
    minSeconds: 60,
    maxSeconds: 86_400,
    paceMs: 1_000,
    who: 'owner',
  },
};

export const packageNames: readonly EventPackage[] = ['presence', 'presence.winfo', 'dialog', 'reg', 'message-summary'];

export function packageNamed(name: string | undefined): EventPackage | undefined {
  return packageNames.find((known) => known === name);
}

/** How long it shall live; `too-brief` for a wish below the least (RFC 6665 §4.2.1.1, RFC 3903 §6 step 5). 0 ends it. */
export function lifetimeOf(asked: number | undefined, row: PackageRow): number | 'too-brief' {
  if (asked === undefined) return row.defaultSeconds;
  if (asked === 0) return 0;
  return asked < row.minSeconds ? 'too-brief' : Math.min(asked, row.maxSeconds);
}
