/**
 * Short-lived logins of accounts: `POST /api/v1/sessions` makes one for a browser that must not know the password. It is a
 * digest username of its own, `session-…`, that logs in as the account.
 *
 * Which connections have logged in by one is remembered here, for they end with it: seconds after it has expired or was
 * revoked, on whichever node, they are closed and their calls ended. So it is good on connections only, not over UDP.
 */
import { Failure } from '../../errors.ts';
import type { Cancel, DialogRecord, Flow } from '../../ports.ts';
import type { Core } from '../core.ts';
import { hangUpRecord } from '../dialog/hang-up.ts';

/** How long one may outlive its end on another node. */
const lookMs = 5_000;

interface Used {
  readonly id: string;
  readonly flow: Flow;
}

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

  used(id: string, flow: Flow): void {
    if (this.#core().ports.network.find(flow.id) !== undefined) this.#used.set(flow.id, { id, flow });
  }

  closed(flow: Flow): void {
    this.#used.delete(flow.id);
  }

  /** It was revoked. */
  async end(ids: ReadonlySet<string>): Promise<void> {
    const flows = [...this.#used.values()].flatMap(({ id, flow }) => (ids.has(id) ? [flow] : []));
    await Promise.all(flows.map((flow) => this.#end(flow)));
  }

  async #look(): Promise<void> {
    const ids = new Set([...this.#used.values()].map(({ id }) => id));
    if (ids.size === 0) return;
    const { ports } = this.#core();
    try {
      for (const id of await ports.sessions.alive([...ids])) ids.delete(id);
      await this.end(ids);
    } catch (thrown) {
      ports.log.debug({ error: String(thrown) }, 'Whether sessions have ended is not known');
    }
  }

  async #end(flow: Flow): Promise<void> {
    const core = this.#core();
    const { ports, dialogs, registrar, presence } = core;
    const binding = registrar.bindingOf(flow);
    this.#used.delete(flow.id);
    const isOn = ({ caller, callee }: DialogRecord): boolean => caller.flowId === flow.id || callee.flowId === flow.id;
    for (const record of dialogs.all()) if (isOn(record)) hangUpRecord(core, record, new Failure('session-ended'));
    // What is left of it goes with its connection; this one a push could wake.
    if (binding !== undefined) {
      const { aor, key } = binding;
      await ports.location
        .change({ aor, callId: '', cseq: 0, save: [], remove: [key] })
        .finally(() => ports.network.close(flow));
      presence.mayHaveGone(aor);
    } else ports.network.close(flow);
  }
}
