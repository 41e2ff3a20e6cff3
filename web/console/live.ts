/**
 * What changes while one looks: health, statistics and their last minutes, told by server-sent events as long as the page
 * is looked at. When Viaduct does not answer, the last numbers stay, the page says so, and asks again by itself.
 */
import { effect, signal } from '@preact/signals';
import type { Happening, Health, Statistics } from './answers.ts';
import { readEvents } from './event-stream.ts';
import { remember, type Sample, sampleOf } from './history.ts';
import { ask, get, Problem } from './rest.ts';
import { access } from './session.ts';

export const health = signal<Health | undefined>(undefined);
export const statistics = signal<Statistics | undefined>(undefined);
export const samples = signal<readonly Sample[]>([]);
/** Why there is nothing new. */
export const trouble = signal<string | undefined>(undefined);
/** Counts up whenever lists should be asked for again. */
export const turn = signal(0);
/** Counts up with each new statistics, every two seconds: for what changes all the time. */
export const beat = signal(0);
/** The addresses of REST that this server has: `/api/v1/calls/{id}`. */
export const addresses = signal<ReadonlySet<string>>(new Set());

const AGAIN_MS = 2000;
/** Many calls that start at once are one reason to ask for the list. */
const TURN_MS = 400;
/** Contacts expire without an event; so every so many counters, which come every two seconds. */
const COUNTERS_PER_TURN = 5;

let following: AbortController | undefined;

export function startLive(): void {
  document.addEventListener('visibilitychange', restart);
  // Asked again at once when somebody has signed in.
  effect(() => {
    if (access.value.at === 'open') restart();
    else stop();
  });
}

function restart(): void {
  stop();
  if (document.visibilityState === 'visible' && access.peek().at === 'open') void follow();
}

function stop(): void {
  following?.abort();
  following = undefined;
}

async function follow(): Promise<void> {
  const mine = new AbortController();
  following = mine;
  while (!mine.signal.aborted) {
    try {
      await refresh();
      await listen(mine.signal);
    } catch (thrown) {
      if (mine.signal.aborted) return;
      trouble.value = thrown instanceof Problem ? thrown.message : 'The connection to Viaduct broke.';
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function refresh(): Promise<void> {
  const [nextHealth, nextStatistics, document] = await Promise.all([
    get<Health>('/health'),
    get<Statistics>('/api/v1/stats'),
    get<{ readonly paths: Readonly<Record<string, unknown>> }>('/api/v1/openapi.json'),
  ]);
  health.value = nextHealth;
  addresses.value = new Set(Object.keys(document.paths));
  take(nextStatistics);
  turn.value += 1;
  trouble.value = undefined;
}

async function listen(signal: AbortSignal): Promise<void> {
  const answer = await ask('/api/v1/events', { signal });
  let counters = 0;
  if (answer.body === null) return;
  await readEvents(answer.body, ({ data }) => {
    const happening: Happening = JSON.parse(data);
    if (happening.type !== 'counters') return soon();
    take(happening.statistics);
    counters += 1;
    if (counters % COUNTERS_PER_TURN === 0) soon();
    void look();
  });
}

function take(next: Statistics): void {
  beat.value += 1;
  statistics.value = next;
  samples.value = remember(samples.peek(), sampleOf(next, Date.now()));
}

async function look(): Promise<void> {
  health.value = await get<Health>('/health').catch(() => health.peek());
}

/** After a change of ours, without waiting for the next event. */
export function again(): void {
  turn.value += 1;
  get<Statistics>('/api/v1/stats').then(take, () => undefined);
}

let waiting = false;

function soon(): void {
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    turn.value += 1;
  }, TURN_MS);
}
