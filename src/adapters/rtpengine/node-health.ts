/**
 * The breaker of one rtpengine node, as a value: what its commands tell about it.
 *
 * `down` after a closed port or two timeouts in a row, `up` again with the first reply. "Ran out of ports" and a
 * session limit are soft: the node answers, so its calls go on, but new calls leave it alone for a while (`busy`).
 * `query` and `list` never count: they can be slow or too big for a datagram on a healthy node. `publish` is a question, too.
 */
import type { Failure } from '../../errors.ts';
import type { NgCommand } from '../../media/commands.ts';
import type { MediaNodeState } from '../../ports.ts';

const maxTimeouts = 2;
const questions: ReadonlySet<NgCommand['command']> = new Set(['query', 'list', 'publish']);
const busyMs = { first: 1_000, longest: 30_000 } as const;

export interface NodeHealth {
  readonly down: boolean;
  readonly timeouts: number;
  readonly busyUntilMs: number;
  /** How long it was left alone the last time; 0 after a success. */
  readonly busyForMs: number;
  readonly lastError: string | undefined;
}

/** A node is down until it has answered once. */
export const unknownHealth: NodeHealth = {
  down: true,
  timeouts: 0,
  busyUntilMs: 0,
  busyForMs: 0,
  lastError: undefined,
};

export function healthState(health: NodeHealth, nowMs: number): MediaNodeState {
  if (health.down) return 'down';
  return nowMs < health.busyUntilMs ? 'busy' : 'up';
}

export function answered(health: NodeHealth, command: NgCommand): NodeHealth {
  const alive = { ...health, down: false, timeouts: 0 };
  // Only an offer proves that there are ports again.
  return command.command === 'offer' ? { ...alive, busyUntilMs: 0, busyForMs: 0 } : alive;
}

export function failed(health: NodeHealth, command: NgCommand, failure: Failure, nowMs: number): NodeHealth {
  switch (failure.code) {
    case 'media-timeout':
      return questions.has(command.command) ? health : timedOut(health, failure.message);
    case 'media-busy':
      return busy({ ...health, down: false, timeouts: 0, lastError: failure.message }, nowMs);
    case 'media-refused':
    case 'media-lost':
      // It answered; that the answer was no is the caller's affair.
      return { ...health, down: false, timeouts: 0 };
    default:
      return health;
  }
}

/** Its port is closed: the process is not there. */
export function portClosed(health: NodeHealth, reason: string): NodeHealth {
  return { ...health, down: true, lastError: reason };
}

function timedOut(health: NodeHealth, reason: string): NodeHealth {
  const timeouts = health.timeouts + 1;
  return { ...health, timeouts, down: health.down || timeouts >= maxTimeouts, lastError: reason };
}

function busy(health: NodeHealth, nowMs: number): NodeHealth {
  // Several refusals of one moment count once.
  if (nowMs < health.busyUntilMs) return health;
  const busyForMs = health.busyForMs === 0 ? busyMs.first : Math.min(health.busyForMs * 2, busyMs.longest);
  return { ...health, busyForMs, busyUntilMs: nowMs + busyForMs };
}
