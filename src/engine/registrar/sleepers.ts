/**
 * Calls for devices that have no connection (RFC 8599 §5.6.2): the INVITE is held while a push goes out, and leaves by
 * the flow over which the device registers then. Other devices ring meanwhile: only its own branch is held.
 *
 * A device that says nothing over an open connection is woken, too (downstream.ts). Bounded in time and number. A second call for a device that is being woken waits with the first: one push is enough.
 * Left out: requests other than INVITE, which meet a flow that is gone.
 */
import { Failure } from '../../errors.ts';
import { get } from '../../message/header.ts';
import { From } from '../../message/headers/from-to.ts';
import { parseUri } from '../../message/uri.ts';
import type { Binding, PushSubscription } from '../../ports.ts';
import { subscriptionOf } from '../../registrar/push.ts';
import { readable } from '../../story/readable.ts';
import type { Request, Target } from '../api.ts';
import type { Core } from '../core.ts';
import type { Place } from '../nodes/node-routing.ts';
import { targetOf } from './registrar.ts';

export const usualPushMs = 30_000;

/** Law 9. */
const mostSleepers = 10_000;
const mostCalls = 32;

interface Call {
  woken(binding: Binding): void;
  failed(failure: Failure): void;
}

interface Sleeper {
  readonly aor: string;
  readonly key: string;
  readonly endpoint: string;
  readonly calls: Set<Call>;
}

export class Sleepers {
  readonly #core: () => Core;
  /** By AOR and binding key. */
  readonly #sleepers = new Map<string, Sleeper>();

  constructor(core: () => Core) {
    this.#core = core;
  }

  /** The same device at its new flow. Throws `push-unanswered` when it does not come, `push-failed` when it cannot. */
  async wake(request: Request, target: Target): Promise<Target> {
    const { asleep, binding } = target;
    if (asleep === undefined || binding === undefined) return target;
    const id = `${binding.aor}\n${binding.key}`;
    const sleeper = this.#sleepers.get(id) ?? this.#begin(id, { ...binding, endpoint: asleep.endpoint });
    const first = sleeper.calls.size === 0;
    const woken = this.#registered(id, sleeper);
    if (first) this.#push(sleeper, asleep, request, target.flowId);
    const now = await woken;
    return {
      ...target,
      elsewhere: undefined,
      ...targetOf(now, this.#core().nodeRouting.reach(now)),
      asleep: undefined,
    };
  }

  /** Whether a device of this address is waited for. */
  awaits(aor: string): boolean {
    for (const sleeper of this.#sleepers.values()) if (sleeper.aor === aor) return true;
    return false;
  }

  /** The contacts of this address as they are now stored. */
  registered(aor: string, bindings: readonly Binding[]): void {
    for (const binding of this.#sleepers.size === 0 ? [] : bindings) {
      const awake = this.#sleepers.get(`${aor}\n${binding.key}`) ?? this.#byEndpoint(aor, binding);
      if (awake !== undefined && this.#isOpen(binding)) for (const call of awake.calls) call.woken(binding);
    }
  }

  #begin(id: string, device: Omit<Sleeper, 'calls'>): Sleeper {
    if (this.#sleepers.size >= mostSleepers) throw new Failure('overloaded');
    const sleeper: Sleeper = { ...device, calls: new Set() };
    this.#sleepers.set(id, sleeper);
    return sleeper;
  }

  #registered(id: string, sleeper: Sleeper): Promise<Binding> {
    const { clock } = this.#core().ports;
    if (sleeper.calls.size >= mostCalls) throw new Failure('overloaded');
    return new Promise((resolve, reject) => {
      const over = (done: () => void): void => {
        cancel();
        sleeper.calls.delete(call);
        if (sleeper.calls.size === 0) this.#sleepers.delete(id);
        done();
      };
      const call: Call = {
        // In a turn of its own, so that the 200 to the REGISTER is ahead of the INVITE.
        woken: (binding) => {
          this.#core().counters.woken++;
          over(() => clock.after(0, () => resolve(binding)));
        },
        failed: (failure) => over(() => reject(failure)),
      };
      const cancel = clock.after(this.#waitMs, () => call.failed(new Failure('push-unanswered')));
      sleeper.calls.add(call);
    });
  }

  #push(sleeper: Sleeper, to: PushSubscription, { message }: Request, flowId: string | undefined): void {
    const { ports } = this.#core();
    const from = get(message, From);
    const user = parseUri(from?.uri ?? '')?.user ?? '';
    const text = JSON.stringify({ from: readable(from?.display || user).slice(0, longestName) });
    const push = ports.push?.send(to, { text, ttlSeconds: Math.ceil(this.#waitMs / 1000) });
    push?.then((outcome) => {
      this.#core().counters.push(outcome);
      ports.log.info({ aor: sleeper.aor, outcome }, 'A push to wake a device');
      if (outcome === 'accepted') return;
      if (outcome === 'gone') this.#forget(sleeper, flowId);
      for (const call of sleeper.calls) call.failed(new Failure('push-failed'));
    });
  }

  /** RFC 8599 §5.5: it cannot be woken any more, and has no other way to it. */
  #forget({ aor, key }: Sleeper, flowId: string | undefined): void {
    const { location, log } = this.#core().ports;
    if (this.#isOpen({ flowId })) return;
    location.drop({ aor, key, flowId }).then(
      () => this.#core().presence.contactEnded(aor),
      (thrown: unknown) => log.warn({ aor, error: String(thrown) }, 'A device that cannot be woken stays registered'),
    );
  }

  /** A device that names no instance has another key when it comes back. */
  #byEndpoint(aor: string, { contact }: Binding): Sleeper | undefined {
    const endpoint = subscriptionOf(contact)?.endpoint;
    return [...this.#sleepers.values()].find((one) => one.aor === aor && one.endpoint === endpoint);
  }

  #isOpen(place: Place): boolean {
    return this.#core().nodeRouting.reach(place) !== undefined;
  }

  get #waitMs(): number {
    return this.#core().options.pushMs ?? usualPushMs;
  }
}

const longestName = 100;
