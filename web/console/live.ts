/**
 * What changes while one looks: health, statistics and their last minutes. Asked for every two seconds as long as the
 * page is looked at; when Viaduct does not answer, the last numbers stay and the page says how old they are.
 */
import { effect, signal } from '@preact/signals';
import type { Health, Statistics } from './answers.ts';
import { remember, type Sample, sampleOf } from './history.ts';
import { get, Problem } from './rest.ts';
import { access } from './session.ts';

export const health = signal<Health | undefined>(undefined);
export const statistics = signal<Statistics | undefined>(undefined);
export const samples = signal<readonly Sample[]>([]);
/** Why there is nothing new. */
export const trouble = signal<string | undefined>(undefined);
/** Counts up whenever lists should be asked for again. */
export const turn = signal(0);

const EVERY_MS = 2000;

let timer: ReturnType<typeof setTimeout> | undefined;

export function startLive(): void {
  document.addEventListener('visibilitychange', () => void tick());
  // Asked again at once when somebody has signed in.
  effect(() => {
    if (access.value.at === 'open') void tick();
  });
}

async function tick(): Promise<void> {
  clearTimeout(timer);
  if (document.visibilityState !== 'visible' || access.peek().at !== 'open') return;
  try {
    await refresh();
    trouble.value = undefined;
  } catch (thrown) {
    trouble.value = thrown instanceof Problem ? thrown.message : 'The answer of Viaduct cannot be read.';
  }
  clearTimeout(timer);
  timer = setTimeout(() => void tick(), EVERY_MS);
}

async function refresh(): Promise<void> {
  const [nextHealth, nextStatistics] = await Promise.all([get<Health>('/health'), get<Statistics>('/api/v1/stats')]);
  health.value = nextHealth;
  statistics.value = nextStatistics;
  samples.value = remember(samples.peek(), sampleOf(nextStatistics, Date.now()));
  turn.value += 1;
}
