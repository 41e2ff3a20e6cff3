/** What REST may ask and change of short-lived logins (sessions.ts). */

import type { Session } from '../../ports.ts';
import { readable } from '../../story/readable.ts';
import type { Core } from '../core.ts';
import type { Operations, SessionSummary } from '../operations.ts';
import { splitAddress } from './subscribers.ts';

type SessionOperations = Pick<Operations, 'sessions' | 'addSession' | 'endSession'>;

export function sessionOperations({ ports, domains, sessions }: Core): SessionOperations {
  const { clock, random, network } = ports;
  return {
    sessions: async ({ limit, after }) => {
      const items = (await ports.sessions.page(limit, after)).map(summary);
      return { items, next: items.length < limit ? undefined : items.at(-1)?.id };
    },
    addSession: async (address, seconds) => {
      const nowMs = clock.nowMs();
      const account = splitAddress(address, domains.first);
      const id = `session-${random.hex(12)}`;
      const session = { id, ...account, createdAtMs: nowMs, expiresAtMs: nowMs + seconds * 1000 };
      const password = random.hex(16);
      if (!(await ports.sessions.add(session, password))) return undefined;
      const to = network.listeners.find(({ transport }) => transport === 'wss');
      const webSocket = to && `wss://${to.advertised.host}:${to.advertised.port}`;
      return { ...summary(session), username: id, password, webSocket };
    },
    endSession: async (id) => {
      const done = await ports.sessions.remove(id);
      if (done) await sessions.end(new Set([id]));
      return done;
    },
  };
}

function summary({ id, username, domain, createdAtMs, expiresAtMs }: Session): SessionSummary {
  return {
    id,
    address: readable(`${username}@${domain}`),
    createdAt: new Date(createdAtMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
  };
}
