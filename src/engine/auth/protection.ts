/**
 * Protection from outside (DESIGN laws 9 and 10): messages and connections per source, bans for failed logins and for
 * scanners, and the list of all that with a way back. This host and TRUSTED networks are never refused here.
 *
 * Left out: how many connections a source may hold (adapters/network/admission.ts), and the 403 for one user from one
 * address (auth/failures.ts). Nobody is banned for what he sent over UDP but over UDP: see auth/bans.ts.
 */
import { type BanReason, Bans, type Refused } from '../../auth/bans.ts';
import { FailedLogins } from '../../auth/failures.ts';
import { Rate } from '../../auth/rate.ts';
import { isScanner } from '../../auth/scanners.ts';
import { isLoopback, sourceOf } from '../../auth/source.ts';
import { get } from '../../message/header.ts';
import { UserAgent } from '../../message/headers/text.ts';
import type { SipRequest } from '../../message/message.ts';
import type { Clock, Flow, Log, Network } from '../../ports.ts';

/** Each may be 0 or `false`: that protection is off. */
export interface ProtectionOptions {
  readonly banMs: number;
  readonly messagesPerSecond: number;
  readonly connectionsPerSecond: number;
  /** Of HTTP. */
  readonly requestsPerSecond: number;
  readonly dropScanners: boolean;
}

export interface ProtectionPorts {
  readonly clock: Clock;
  readonly network: Pick<Network, 'close'>;
  readonly log: Log;
  readonly isTrusted: (address: string) => boolean;
  /** Another node of ours: what it sends is of many. */
  readonly isNode?: (address: string) => boolean;
}

/** After an outage everybody behind one address comes at once. */
const burstSeconds = 10;
/** Of any users, from one source. A success in between forgives them: behind one address there may be an office. */
const failedLogins = { failures: 30, windowMs: 600_000, entries: 10_000 };
const anyUser = '';
/** Of those that were too much, each so-many-th is logged, from the first on. */
const tellEvery = 10_000;

const off: ProtectionOptions = {
  banMs: 0,
  messagesPerSecond: 0,
  connectionsPerSecond: 0,
  requestsPerSecond: 0,
  dropScanners: false,
};

/** What a source does beside sending messages. */
export type Approach = 'connection' | 'request';

const tooMany = { connection: 'too-many-connections', request: 'too-many-requests' } as const;

export class Protection {
  readonly #ports: ProtectionPorts;
  readonly #options: ProtectionOptions;
  readonly #messages: Rate | undefined;
  readonly #approaches: Readonly<Record<Approach, Rate | undefined>>;
  readonly #failures = new FailedLogins(failedLogins);
  readonly #bans = new Bans();

  constructor(ports: ProtectionPorts, options: ProtectionOptions = off) {
    this.#ports = ports;
    this.#options = options;
    this.#messages = rateOf(options.messagesPerSecond);
    this.#approaches = {
      connection: rateOf(options.connectionsPerSecond),
      request: rateOf(options.requestsPerSecond),
    };
  }

  /** Whether a message of this flow is read at all. */
  hears(flow: Flow): boolean {
    const { address } = flow.remote;
    if (this.#isExempt(address)) return true;
    const source = sourceOf(address);
    const nowMs = this.#ports.clock.nowMs();
    if (this.#bans.isBanned(source, flow.transport === 'udp', nowMs)) return false;
    if (this.#messages?.allows(source, nowMs) ?? true) return true;
    this.#tellSometimes(this.#note(flow, 'too-many-messages', undefined));
    return false;
  }

  /** Whether a new connection may come in, or a request of HTTP; asked before anything is done for it. */
  admits(address: string, approach: Approach): boolean {
    if (this.#isExempt(address)) return true;
    const source = sourceOf(address);
    const nowMs = this.#ports.clock.nowMs();
    // A ban comes from SIP: it must not keep an operator behind the same address from lifting it.
    if (approach === 'connection' && this.#bans.isBanned(source, false, nowMs)) return false;
    if (this.#approaches[approach]?.allows(source, nowMs) ?? true) return true;
    const offence = { source, reason: tooMany[approach], over: 'everything', untilMs: undefined } as const;
    this.#tellSometimes(this.#bans.note(offence, nowMs));
    return false;
  }

  /** Whether this request is one that nobody answers. */
  isScan(request: SipRequest, flow: Flow): boolean {
    if (!this.#options.dropScanners || this.#isExempt(flow.remote.address)) return false;
    if (!isScanner(get(request, UserAgent))) return false;
    this.#ban(flow, 'scanner');
    return true;
  }

  /** A wrong password or an unknown user. */
  loginFailed(flow: Flow): void {
    const { address } = flow.remote;
    if (this.#options.banMs === 0 || this.#isExempt(address)) return;
    const key = failureKey(flow);
    const nowMs = this.#ports.clock.nowMs();
    this.#failures.note(key, anyUser, nowMs);
    if (this.#failures.blocked(key, anyUser, nowMs)) this.#ban(flow, 'failed-logins');
  }

  loginSucceeded(flow: Flow): void {
    this.#failures.clear(failureKey(flow), anyUser);
  }

  list(): readonly Refused[] {
    return this.#bans.list(this.#ports.clock.nowMs());
  }

  /** `source` as the list has it, or an address of it; `false`: it is not refused. */
  lift(source: string): boolean {
    const name = source.endsWith('/64') ? source : sourceOf(source);
    this.#failures.clear(`udp ${name}`, anyUser);
    this.#failures.clear(`everything ${name}`, anyUser);
    const lifted = this.#bans.lift(name);
    if (lifted) this.#ports.log.info({ source: name }, 'A source is heard again: its ban was lifted');
    return lifted;
  }

  #isExempt(address: string): boolean {
    return isLoopback(address) || this.#ports.isTrusted(address) || this.#ports.isNode?.(address) === true;
  }

  #ban(flow: Flow, reason: BanReason): void {
    const { banMs } = this.#options;
    const untilMs = banMs === 0 ? undefined : this.#ports.clock.nowMs() + banMs;
    const { source, over, count } = this.#note(flow, reason, untilMs);
    if (untilMs === undefined) return;
    const until = new Date(untilMs).toISOString();
    this.#ports.log.warn({ source, over, reason, count, until }, 'A source is refused from now on');
    if (flow.transport !== 'udp') this.#ports.network.close(flow);
  }

  /** The operator must hear of it: it may be a trunk that is cut down. */
  #tellSometimes({ source, over, reason, count }: Refused): void {
    if (count % tellEvery !== 1) return;
    const words =
      'A source does more than it may in a second; a trunk belongs into TRUSTED, see also MESSAGES_PER_SECOND';
    this.#ports.log.warn({ source, over, reason, count }, words);
  }

  #note(flow: Flow, reason: BanReason, untilMs: number | undefined): Refused {
    const source = sourceOf(flow.remote.address);
    return this.#bans.note({ source, reason, over: overOf(flow), untilMs }, this.#ports.clock.nowMs());
  }
}

function rateOf(perSecond: number): Rate | undefined {
  return perSecond === 0 ? undefined : new Rate({ perSecond, burst: perSecond * burstSeconds });
}

function overOf(flow: Flow): Refused['over'] {
  return flow.transport === 'udp' ? 'udp' : 'everything';
}

function failureKey(flow: Flow): string {
  return `${overOf(flow)} ${sourceOf(flow.remote.address)}`;
}
