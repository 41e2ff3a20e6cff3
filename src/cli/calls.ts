/** `viaduct calls` and `viaduct ladder`: which calls there are, and what passed in one of them. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { csvOf, csvTitles } from '../../routes/http/calls-csv.ts';
import { CallsBody, HappeningBody, LadderBody } from '../../routes/http/schemas.ts';
import { callIdHash } from '../dialog/call-id-hash.ts';
import { Failure } from '../errors.ts';
import type { Running } from './running.ts';
import { table } from './table.ts';
import { harmless, type Screen, writeLine } from './terminal.ts';
import { optionError, tooMany, UsageError } from './usage-error.ts';

type Call = Static<typeof CallsBody>['items'][number];

export const callsHelp = `viaduct calls [STATE] [--follow]
viaduct calls export [STATE] [--json]
    both with [--account NAME] [--since TIME] [--until TIME]
              [--url http://HOST:PORT]

The calls in progress and the last ended ones, newest first. A wide terminal
shows who hung up too, and packets and MOS of what caller and callee sent, or
why there is no MOS. Each can be looked at by its ID: \`viaduct explain ID\`,
\`viaduct ladder ID\`.

export writes all of them as CSV, from now back to CALL_RECORD_DAYS ago.

  STATE      ringing, answered, ended or failed
  TIME       of the beginning of a call: 2026-01-31 or 2026-01-31T18:00:00Z
  --follow   goes on with what happens from now on
  --json     one JSON document a line
`;

export const ladderHelp = `viaduct ladder [ID] [--follow] [--url http://HOST:PORT]

What passed in a call: each message, rtpengine command and decision.
ID is that of \`viaduct calls\`, or a Call-ID; without one it is the newest call.

  --follow   goes on until the call ends
`;

/** Words, and the options among them. */
export interface Words {
  readonly words: readonly string[];
  readonly follow: boolean;
  readonly sdp: boolean;
  readonly json: boolean;
  readonly url: string | undefined;
  readonly account: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
}

const options = {
  url: { type: 'string' },
  account: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  follow: { type: 'boolean', default: false },
  sdp: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

interface Takes {
  /** Beside `export`. */
  readonly words: number;
  readonly options: readonly (keyof typeof options)[];
}

/** What each command takes of them. */
const takes = {
  calls: { words: 1, options: ['url', 'account', 'since', 'until', 'follow', 'json'] },
  ladder: { words: 1, options: ['url', 'follow'] },
  explain: { words: 1, options: ['url', 'follow', 'sdp'] },
  doctor: { words: 0, options: ['url'] },
} as const satisfies Readonly<Record<string, Takes>>;

export type Asking = keyof typeof takes;

export function wordsOf(command: Asking, args: readonly string[]): Words {
  const known: Takes = takes[command];
  try {
    const parsed = parseArgs({ args: [...args], allowPositionals: true, options, tokens: true });
    for (const token of parsed.tokens) {
      const isUnknown = token.kind === 'option' && !known.options.some((name) => name === token.name);
      if (isUnknown) throw new UsageError(`Unknown option '${token.rawName}'.`);
    }
    const isExport = command === 'calls' && parsed.positionals[0] === 'export';
    tooMany(parsed.positionals, known.words + (isExport ? 1 : 0));
    const { url, account, follow, sdp, json } = parsed.values;
    const [since, until] = [timeOf(parsed.values.since), timeOf(parsed.values.until)];
    if (command === 'calls') {
      knownState(parsed.positionals[isExport ? 1 : 0]);
      if (json && !isExport) throw new UsageError('--json is of calls export.');
      if (follow && isExport) throw new UsageError('--follow is not of calls export, which ends with now.');
    }
    return { words: parsed.positionals, follow, sdp, json, url, account, since, until };
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    throw optionError(thrown);
  }
}

// --- calls -----------------------------------------------------------------------------------------------------------

const incomplete = 'The database does not answer: calls of before the start, and of other nodes, are missing.';
const states = ['ringing', 'answered', 'ended', 'failed'];

/** Nothing to list. */
const none: Readonly<Record<string, string>> = {
  ringing: 'No call rings now.',
  answered: 'Nobody talks now.',
  ended: 'No call has ended yet.',
  failed: 'No call has failed.',
};

export async function callsCommand(running: Running, screen: Screen, words: Words): Promise<number> {
  const isExport = words.words[0] === 'export';
  const [state] = isExport ? words.words.slice(1) : words.words;
  return isExport ? exportCalls(running, screen, state, words) : listCalls(running, screen, state, words);
}

type State = string | undefined;

async function listCalls(running: Running, screen: Screen, state: State, words: Words): Promise<number> {
  const body = await read(running, `/api/v1/calls?${queryOf(state, words, { limit: '40' })}`, CallsBody);
  const rows = body?.items ?? [];
  const { columns } = screen;
  if (rows.length === 0) writeLine(screen, none[state ?? ''] ?? 'No calls yet.');
  else screen.write(harmless(tableOf(rows, columns)));
  if (body?.complete === false) writeLine(screen, incomplete, 'bad');
  if (words.follow) for await (const event of running.events()) writeChange(screen, event);
  return 0;
}

/** Page after page, as long as there are more. */
async function exportCalls(running: Running, screen: Screen, state: State, words: Words): Promise<number> {
  if (!words.json) screen.write(csvTitles);
  for (let after: string | undefined; ; ) {
    const query = queryOf(state, words, { limit: '1000', ...(after === undefined ? {} : { after }) });
    const body = await read(running, `/api/v1/calls?${query}`, CallsBody);
    // Half a file looks like a whole one.
    if (body?.complete === false) throw new Failure('database-down');
    for (const call of body?.items ?? [])
      screen.write(words.json ? `${harmless(JSON.stringify(call))}\n` : csvOf(call));
    after = body?.next ?? undefined;
    if (after === undefined) return 0;
  }
}

function queryOf(
  state: State,
  { account, since, until }: Words,
  page: Readonly<Record<string, string>>,
): URLSearchParams {
  const wanted = { state, account, since, until };
  const query = new URLSearchParams(page);
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) query.set(name, value);
  return query;
}

function knownState(state: string | undefined): void {
  if (state !== undefined && !states.includes(state)) {
    throw new UsageError(`There is no state "${state}": write one of ${states.join(', ')}.`);
  }
}

/** A day alone is its beginning, UTC. */
function timeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`"${text}" is no time; it looks like 2026-01-31 or 2026-01-31T18:00:00Z.`);
  return new Date(ms).toISOString();
}

const titles = ['ID', 'STARTED (UTC)', 'STATE', 'FROM', 'TO', 'LASTED'];
const mediaTitles = ['BY', 'PACKETS', 'MOS'];
/** Of the other columns, with the blanks between; and of those that need a wide terminal. */
const besideAddresses = 22 + 14 + 10 + 6 + 10;
const besideMedia = 7 + 11 + 12 + 6;
const shortestAddress = 10;
const wide = 120;
/** Which node has a call, where several do; a terminal of 80 columns has no room for it. */
const besideNode = 11;
const roomForNode = 100;

function tableOf(calls: readonly Call[], columns: number): string {
  const isWide = columns >= wide;
  const saysNode = columns >= roomForNode && new Set(calls.flatMap(({ node }) => node ?? [])).size > 1;
  const left = columns - besideAddresses - (isWide ? besideMedia : 0) - (saysNode ? besideNode : 0);
  const most = Math.max(shortestAddress, Math.floor(left / 2));
  const rows = calls.map((call) => [
    ...rowOf(call, most),
    ...(saysNode ? [call.node ?? ''] : []),
    ...(isWide ? mediaOf(call) : []),
  ]);
  return table([...titles, ...(saysNode ? ['NODE'] : []), ...(isWide ? mediaTitles : [])], rows);
}

function rowOf(call: Call, most: number): readonly string[] {
  return [call.id, started(call), outcomeOf(call), short(call.from, most), short(call.to, most), lasted(call)];
}

function outcomeOf({ state, status, answeredAt }: Call): string {
  if (state === 'failed' && isRefusal(status)) return `failed ${status}`;
  return state === 'ended' && answeredAt === null ? 'no answer' : state;
}

function mediaOf(call: Call): readonly string[] {
  const quality = [...new Set(ofLegs(call, qualityOf))].join('/');
  return [call.endedBy ?? '', ofLegs(call, packetsOf).join('/'), quality];
}

type Leg = Call['legs'][number];

/** Of caller and callee; nothing where nobody answered. */
function ofLegs({ legs, answeredAt }: Call, word: (leg: Leg) => string): readonly string[] {
  return answeredAt === null ? [] : legs.map(word);
}

const packetsOf = ({ packets }: Leg): string => String(packets ?? '–');
const qualityOf = ({ mos, noQuality }: Leg): string => (mos === null ? (noQuality ?? '–') : mos.toFixed(1));

/** A call that was answered and then lost has failed, too. */
export function isRefusal(status: number | null): boolean {
  return status !== null && status >= 300;
}

/** `10:00:00` of today, `12-31 10:00:00` of another day. */
function started({ startedAt }: Call): string {
  const isToday = startedAt.slice(0, 10) === new Date().toISOString().slice(0, 10);
  return isToday ? startedAt.slice(11, 19) : `${startedAt.slice(5, 10)} ${startedAt.slice(11, 19)}`;
}

/** Without the parameters of the URI: they say nothing about who it is. */
function short(uri: string, most: number): string {
  const text = uri.replace(/^sips?:/, '').replace(/[;?].*$/, '');
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function lasted({ answeredAt, endedAt }: Call): string {
  if (answeredAt === null) return '';
  const ms = (endedAt === null ? Date.now() : Date.parse(endedAt)) - Date.parse(answeredAt);
  return `${Math.floor(ms / 1000)} s`;
}

function writeChange(screen: Screen, event: unknown): void {
  if (!Value.Check(HappeningBody, event) || event.type !== 'call') return;
  const { change, call } = event;
  const tone = change === 'failed' ? 'bad' : change === 'answered' ? 'good' : 'plain';
  const why = change === 'failed' ? `  ${call.status ?? ''} ${call.reason ?? ''}` : '';
  const now = new Date().toISOString().slice(11, 19);
  const most = 30;
  writeLine(
    screen,
    `${now}  ${change.padEnd(8)}  ${call.id}  ${short(call.from, most)} → ${short(call.to, most)}${why}`,
    tone,
  );
}

// --- ladder ----------------------------------------------------------------------------------------------------------

const pollMs = 500;

export async function ladderCommand(running: Running, screen: Screen, { words, follow }: Words): Promise<number> {
  const id = await idOf(running, words[0]);
  let drawn: readonly string[] = [];
  for (;;) {
    const ladder = await read(running, `/api/v1/calls/${id}/ladder`, LadderBody);
    if (ladder === undefined) throw await withoutStory(running, id, words[0]);
    const texts = ladder.lines.map(({ text }) => text);
    // A new device makes a new column: then all is drawn again.
    const same = drawn.length > 0 && texts[0] === drawn[0];
    for (const line of ladder.lines.slice(same ? drawn.length : 0)) writeLine(screen, line.text, line.tone);
    drawn = texts;
    const { state } = ladder.call;
    if (!follow || state === 'ended' || state === 'failed') return 0;
    await delay(pollMs);
  }
}

/** An id as it is; a Call-ID by its hash; nothing: the newest call. */
export async function idOf(running: Running, word: string | undefined): Promise<string> {
  if (word === undefined) {
    const newest = (await read(running, '/api/v1/calls?limit=1', CallsBody))?.items[0];
    if (newest === undefined) throw new Failure('call-unknown', 'There was no call yet.');
    return newest.id;
  }
  const known = /^[\w-]{1,64}$/.test(word) && (await running.get(`/api/v1/calls/${word}`)) !== undefined;
  return known ? word : callIdHash(word);
}

/** Of a call that there was, its record is left. */
export async function withoutStory(running: Running, id: string, word = ''): Promise<Failure> {
  const record = await running.get(`/api/v1/calls/${id}`);
  return record === undefined ? new Failure('call-unknown', word) : new Failure('story-forgotten', `Call ${id}`);
}

/** What the API answers, checked: another version may run. `undefined` for 404. */
export async function read<T extends TSchema>(
  running: Running,
  path: string,
  schema: T,
): Promise<Static<T> | undefined> {
  const body = await running.get(path);
  if (body === undefined) return undefined;
  if (!Value.Check(schema, body)) throw new Failure('api-refused', `${path} answers in another form.`);
  return body;
}
