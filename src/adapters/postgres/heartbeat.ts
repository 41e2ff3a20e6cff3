/**
 * Asks PostgreSQL every second whether it is there, over a connection of its own: a server that hangs (a full disk, a frozen
 * machine, SIGSTOP) breaks no connection, and statements would wait for it one after the other.
 */
import pg from 'pg';

export interface HeartbeatOptions {
  readonly config: pg.ClientConfig;
  /** Nobody asks while the server is known to be down: whoever said so finds out when it is back. */
  readonly isDown: () => boolean;
  /** When any statement was answered last, in milliseconds of `performance.now()`. */
  readonly lastAnswerMs: () => number;
  /** It did not answer in time, neither this nor anything else. */
  readonly silent: (error: string) => void;
  /** Its connection broke, or there was none to be had. */
  readonly broken: () => void;
}

const EVERY_MS = 1000;
/** With the second in between it is known within three seconds; within four where it answered others meanwhile. */
const ANSWER_MS = 1800;

/** Returns its end. */
export function startHeartbeat(options: HeartbeatOptions): () => Promise<void> {
  let client: pg.Client | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function later(): void {
    if (stopped) return;
    timer = setTimeout(() => void beat().finally(later), EVERY_MS);
    timer.unref();
  }

  async function beat(): Promise<void> {
    if (options.isDown()) return forget();
    const asked = client ?? new pg.Client({ ...options.config, connectionTimeoutMillis: 0 });
    const isNew = client === undefined;
    client = asked;
    if (isNew) asked.on('error', () => undefined);
    const outcome = await inTime(isNew ? asked.connect().then(() => ask(asked)) : ask(asked));
    if (stopped || outcome === 'answered') return;
    forget();
    // Slow, and busy with others: it is asked again.
    if (outcome === 'silent' && performance.now() - options.lastAnswerMs() < ANSWER_MS / 2) return;
    if (outcome === 'silent') options.silent(`No answer within ${ANSWER_MS} ms.`);
    else options.broken();
  }

  /** One that hangs is not waited for: `end` cuts a connection with a statement on its way. */
  function forget(): void {
    void client?.end().catch(() => undefined);
    client = undefined;
  }

  later();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await client?.end().catch(() => undefined);
  };
}

async function ask(client: pg.Client): Promise<void> {
  await client.query('SELECT 1');
}

function inTime(work: Promise<void>): Promise<'answered' | 'broken' | 'silent'> {
  return new Promise((resolve) => {
    // After a turn in which this process did other things for long, the answer may lie in the socket: look there first.
    const timer = setTimeout(() => setImmediate(() => setImmediate(() => resolve('silent'))), ANSWER_MS);
    work
      .then(
        () => resolve('answered'),
        () => resolve('broken'),
      )
      .finally(() => clearTimeout(timer));
  });
}
