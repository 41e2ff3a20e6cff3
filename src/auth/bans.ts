/**
 * Who is refused, why and until when: what the operator sees, and can take back. Time is an argument.
 *
 * Over UDP anybody can write any address into a datagram. So what was done over UDP bans a source over UDP only: nobody
 * can keep somebody else's connections away by forging his address. Bounded: the entry that is longest without news
 * makes room.
 */

export type BanReason =
  | 'failed-logins'
  | 'scanner'
  | 'too-many-messages'
  | 'too-many-connections'
  | 'too-many-requests';

export interface Refused {
  /** An address, or the /64 of one (source.ts). */
  readonly source: string;
  readonly reason: BanReason;
  /** What is refused: datagrams only, or everything. */
  readonly over: 'udp' | 'everything';
  /** How often it gave this reason. */
  readonly count: number;
  readonly lastMs: number;
  /** `undefined`: what is too much is refused, and nothing else. */
  readonly untilMs: number | undefined;
}

export type Offence = Pick<Refused, 'source' | 'reason' | 'over' | 'untilMs'>;

const mostEntries = 1_000;

export class Bans {
  readonly #entries: number;
  /** In the order of the last news. */
  readonly #refused = new Map<string, Refused>();
  /** The latest end by `over source`, for the question that each message asks. */
  readonly #until = new Map<string, number>();

  constructor(entries = mostEntries) {
    this.#entries = entries;
  }

  get size(): number {
    return this.#refused.size;
  }

  /** One more of its kind; the whole as it stands now. */
  note(offence: Offence, nowMs: number): Refused {
    const key = keyOf(offence);
    const before = this.#refused.get(key);
    const untilMs =
      offence.untilMs ?? (before?.untilMs !== undefined && before.untilMs > nowMs ? before.untilMs : undefined);
    const refused = { ...offence, untilMs, count: (before?.count ?? 0) + 1, lastMs: nowMs };
    this.#refused.delete(key);
    if (this.#refused.size >= this.#entries) this.#dropOldest();
    this.#refused.set(key, refused);
    if (untilMs !== undefined)
      this.#until.set(banKey(offence), Math.max(untilMs, this.#until.get(banKey(offence)) ?? 0));
    return refused;
  }

  isBanned(source: string, overUdp: boolean, nowMs: number): boolean {
    if (this.#until.size === 0) return false;
    return this.#holds(`everything ${source}`, nowMs) || (overUdp && this.#holds(`udp ${source}`, nowMs));
  }

  #holds(key: string, nowMs: number): boolean {
    const untilMs = this.#until.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > nowMs) return true;
    this.#until.delete(key);
    return false;
  }

  /** Everything about this source is forgotten; `false`: there was nothing. */
  lift(source: string): boolean {
    const keys = [...this.#refused].filter(([, refused]) => refused.source === source).map(([key]) => key);
    for (const key of keys) this.#refused.delete(key);
    this.#until.delete(`everything ${source}`);
    this.#until.delete(`udp ${source}`);
    return keys.length > 0;
  }

  /** The latest first; a ban that has ended has none. */
  list(nowMs: number): readonly Refused[] {
    const current = (untilMs: number | undefined) => (untilMs !== undefined && untilMs > nowMs ? untilMs : undefined);
    return [...this.#refused.values()].reverse().map((refused) => ({ ...refused, untilMs: current(refused.untilMs) }));
  }

  #dropOldest(): void {
    const [oldest] = this.#refused;
    if (oldest === undefined) return;
    this.#refused.delete(oldest[0]);
    this.#until.delete(banKey(oldest[1]));
  }
}

function keyOf({ source, reason, over }: Offence): string {
  return `${over} ${reason} ${source}`;
}

function banKey({ source, over }: Offence): string {
  return `${over} ${source}`;
}
