/** The welcome page: what Viaduct is, how to reach it, and its numbers as they change. */
import { loadConfig } from './config.ts';
import { element, write } from './dom.ts';

interface Health {
  readonly status: 'ok' | 'degraded';
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly database: 'up' | 'down';
  readonly media: 'up' | 'down' | 'none';
}

interface Stats {
  readonly registrations: { readonly bindings: number };
  readonly calls: { readonly inProgress: number };
  readonly connections: Readonly<Record<string, number>>;
}

const EVERY_MS = 3000;
const UNKNOWN = 'unknown';

const put = (id: string, text: string) => write(element(id, HTMLElement), text);

async function refresh(): Promise<void> {
  try {
    const answer = await fetch('/health');
    const health: Health = await answer.json();
    drawHealth(health);
    await refreshStats();
  } catch {
    mark('health', 'down');
    put('health-text', 'Not answering');
  }
}

/** REST may want a token, which a page does not have: then there are no numbers here. */
async function refreshStats(): Promise<void> {
  if (!element('token-note', HTMLElement).hidden) return;
  const answer = await fetch('/api/v1/stats');
  element('token-note', HTMLElement).hidden = answer.ok;
  if (answer.ok) drawStats(await answer.json());
}

function drawHealth(health: Health): void {
  mark('health', health.status === 'ok' ? 'up' : 'degraded');
  put('health-text', health.status === 'ok' ? 'Running' : 'Running, degraded');
  mark('database', health.database);
  put('database', health.database === 'up' ? 'answers' : 'does not answer');
  mark('media', health.media === 'none' ? 'down' : health.media);
  put('media', { up: 'answers', down: 'does not answer', none: 'not there' }[health.media]);
  put('version', health.version);
  put('n-uptime', uptime(health.uptimeSeconds));
  const note = element('parts-note', HTMLElement);
  note.hidden = health.media === 'up';
  write(
    note,
    'Without rtpengine calls between a browser and a telephone are refused: install rtpengine-daemon, or set RTPENGINE.',
  );
}

function drawStats(stats: Stats): void {
  element('numbers', HTMLElement).hidden = false;
  put('n-registrations', String(stats.registrations.bindings));
  put('n-calls', String(stats.calls.inProgress));
  put('n-connections', String(Object.values(stats.connections).reduce((sum, count) => sum + count, 0)));
}

function mark(id: string, state: 'up' | 'down' | 'degraded' | typeof UNKNOWN): void {
  element(id, HTMLElement).dataset.state = state;
}

/** `4 min`, `3 h 12 min`, `5 d 3 h`: two units at most. */
function uptime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

async function drawAccount(): Promise<void> {
  const config = await loadConfig();
  put('domain', config.domain);
  const [page, softphone] = config.accounts ?? [];
  if (page === undefined || softphone === undefined) return;
  put('account-name', softphone.name);
  put('account-password', softphone.password);
  put('demo-page', page.name);
  put('demo-softphone', softphone.name);
  element('demo-note', HTMLElement).hidden = false;
}

void refresh();
void drawAccount();
setInterval(() => document.visibilityState === 'visible' && void refresh(), EVERY_MS);
