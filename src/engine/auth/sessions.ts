/**
 * Short-lived logins of accounts: `POST /api/v1/sessions` makes one for a browser that must not know the password. It is a
 * digest username of its own, `session-…`, that logs in as the account. Tokens of an identity server (token-login.ts) are
 * short-lived as well.
 *
 * Which connections have logged in by one is remembered here, for they end with it: seconds after it has expired or was
 * revoked, on whichever node, they are closed and their calls ended. So it is good on connections only, not over UDP.
 */
import { Failure } from '../../errors.ts';
import type { Cancel, DialogRecord, Flow } from '../../ports.ts';
import type { User } from '../api.ts';
import type { Core } from '../core.ts';
import { hangUpRecord } from '../dialog/hang-up.ts';

/** How long one may outlive its end on another node. */
const lookMs = 5_000;

/** By its name (the id of a session, an account), when it ends: `undefined` where the database knows. */
type Logins = Map<string, number | undefined>;

interface Used {
  readonly flow: Flow;
  readonly logins: Logins;
}

/** Of one connection; that which is longest without news makes room. */
const mostLogins = 100;

export function isSessionName(username: string): boolean {
  return /^session-[0-9a-f]{24}$/.test(username);
}

export class Sessions {
  readonly #core: () => Core;
  /** By flow: no more than there are connections. */
  readonly #used = new Map<string, Used>();
  #stopLooking: Cancel | undefined;

  constructor(core: () => Core) {
    this.#core = core;
  }

  start(): void {
    this.#stopLooking = this.#core().ports.clock.after(lookMs, () => {
      this.start();
      void this.#look();
    });
  }

  stop(): void {
    this.#stopLooking?.();
  }

  /** Somebody logged in; a password that stays needs nothing of this. */
  used({ username, domain, session, untilMs }: User, flow: Flow): void {
    if (session !== undefined) this.#remember(session, undefined, flow);
    else if (untilMs !== undefined) this.#remember(`${username}@${domain}`, untilMs, flow);
  }

  closed(flow: Flow): void {
    this.#used.delete(flow.id);
  }

  /** It was revoked. */
  async end(ids: ReadonlySet<string>): Promise<void> {
    await this.#endWhere((name) => ids.has(name));
  }

  #remember(name: string, untilMs: number | undefined, flow: Flow): void {
    if (this.#core().ports.network.find(flow.id) === undefined) return;
    const logins: Logins = this.#used.get(flow.id)?.logins ?? new Map();
    // A page may send an older token after a newer one: what was granted until then stays.
    const until = untilMs === undefined ? undefined : Math.max(untilMs, logins.get(name) ?? 0);
    logins.delete(name);
    const [oldest] = logins.keys();
    if (logins.size >= mostLogins && oldest !== undefined) logins.delete(oldest);
    this.#used.set(flow.id, { flow, logins: logins.set(name, until) });
  }

  /** A connection ends with the first of its logins: a second account must not keep alive what the first one began. */
  async #endWhere(isOver: (name: string, untilMs: number | undefined) => boolean): Promise<void> {
    const ends = ({ logins }: Used): boolean => [...logins].some((login) => isOver(...login));
    await Promise.all([...this.#used.values()].filter(ends).map(({ flow }) => this.#end(flow)));
  }

  async #look(): Promise<void> {
    const { ports } = this.#core();
    const nowMs = ports.clock.nowMs();
    const all = [...this.#used.values()].flatMap(({ logins }) => [...logins]);
    const ids = new Set(all.flatMap(([id, untilMs]) => (untilMs === undefined ? [id] : [])));
    try {
      await this.#endWhere((_, untilMs) => untilMs !== undefined && untilMs <= nowMs);
      if (ids.size === 0) return;
      for (const id of await ports.sessions.alive([...ids])) ids.delete(id);
      await this.end(ids);
    } catch (thrown) {
      ports.log.debug({ error: String(thrown) }, 'Whether sessions have ended is not known');
    }
  }

  async #end(flow: Flow): Promise<void> {
    const core = this.#core();
    const { ports, dialogs, registrar, presence } = core;
    const bindings = registrar.bindingsOf(flow);
    this.#used.delete(flow.id);
    const isOn = ({ caller, callee }: DialogRecord): boolean => caller.flowId === flow.id || callee.flowId === flow.id;
    for (const record of dialogs.all()) if (isOn(record)) hangUpRecord(core, record, new Failure('session-ended'));
    // What is left of it goes with its connection; these a push could wake.
    const removed = bindings.map(({ aor, key }) =>
      ports.location.change({ aor, callId: '', cseq: 0, save: [], remove: [key] }),
    );
    await Promise.all(removed).finally(() => ports.network.close(flow));
    for (const { aor } of bindings) presence.mayHaveGone(aor);
  }
}
