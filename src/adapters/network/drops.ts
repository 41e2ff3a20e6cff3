/**
 * Why bytes were thrown away, connections refused or ended: counted by reason for the statistics, and told to the log
 * at most once a minute for each reason, so that a flood of garbage does not become a flood of lines. A reason may have
 * topics of its own, from a bounded set: a scanner that speaks no TLS must not hide the browser that distrusts us.
 */
import type { Log } from '../../ports.ts';

export type DropReason =
  | 'certificate-refused'
  | 'connect-queue-full'
  | 'connect-timeout'
  | 'dial-tls'
  | 'framing-broken'
  | 'framing-timeout'
  | 'http-broken'
  | 'http-timeout'
  | 'idle'
  | 'no-pong'
  | 'not-started'
  | 'receiver-error'
  | 'refused-source'
  | 'send-failed'
  | 'slow-reader'
  | 'socket-error'
  | 'stun'
  | 'tls-handshake'
  | 'too-large'
  | 'too-many-connections'
  | 'too-many-dialled'
  | 'too-many-from-source'
  | 'too-short'
  | 'websocket-broken'
  | 'websocket-origin'
  | 'websocket-protocol';

const repeatMs = 60_000;

export class Drops {
  readonly #log: Log;
  readonly #counts = new Map<DropReason, number>();
  readonly #loggedAtMs = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  count(reason: DropReason, about: object = {}, topic = ''): void {
    const total = (this.#counts.get(reason) ?? 0) + 1;
    this.#counts.set(reason, total);
    const nowMs = performance.now();
    const loggedAtMs = this.#loggedAtMs.get(`${reason} ${topic}`);
    if (loggedAtMs !== undefined && nowMs - loggedAtMs < repeatMs) return;
    this.#loggedAtMs.set(`${reason} ${topic}`, nowMs);
    this.#log.info({ reason, total, ...about }, 'network: dropped (told once a minute for each reason)');
  }

  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
