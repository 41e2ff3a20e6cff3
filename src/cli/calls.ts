/** `viaduct calls` and `viaduct ladder`: which calls there are, and what passed in one of them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { csvOf, csvTitles } from '../../routes/http/calls-csv.ts';
import { CallsBody, HappeningBody, LadderBody } from '../../routes/http/schemas.ts';
import { callIdHash } from '../dialog/call-id-hash.ts';
import { Failure } from '../errors.ts';
import type { Running } from './running.ts';
import { table } from './table.ts';
import { harmless, type Screen, writeLine } from './terminal.ts';
import { UsageError } from './usage-error.ts';

type Call = Static<typeof CallsBody>['items'][number];

export const callsHelp = `viaduct calls [STATE] [--account NAME] [--since TIME] [--until TIME] [--follow]
viaduct calls export [STATE] [--account NAME] [--since TIME] [--until TIME] [--json]
    both with [--url http://HOST:PORT]

The calls in progress and the last ended ones, newest first: who hung up, packets and MOS of what caller and callee sent,
or why there is no MOS; --follow goes on with what happens from now on. STATE is ringing, answered, ended or failed;
TIME is as in 2026-01-31 or 2026-01-31T18:00:00Z, of the beginning of a call.

export writes all of them as CSV, or with --json as one JSON document a line, from now back to CALL_RECORD_DAYS ago.
`;

export const ladderHelp = `viaduct ladder [ID] [--follow] [--url http://HOST:PORT]

What passed in a call: each message, rtpengine command and decision. ID is that of \`viaduct calls\`, or a Call-ID;
without one it is the newest call. --follow goes on until the call ends.
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

const valued: ReadonlySet<string | undefined> = new Set(['--url', '--account', '--since', '--until']);

export function wordsOf(args: readonly string[]): Words {
  const of = (name: string): string | undefined => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const words = args.filter((arg, index) => !arg.startsWith('--') && !valued.has(args[index - 1]));
  const has = (name: string): boolean => args.includes(name);
  const values = { url: of('--url'), account: of('--account'), since: of('--since'), until: of('--until') };
  return { words, follow: has('--follow'), sdp: has('--sdp'), json: has('--json'), ...values };
}

// --- calls -----------------------------------------------------------------------------------------------------------

export async function callsCommand(running: Running, screen: Screen, words: Words): Promise<number> {
  const { follow } = words;
  if (words.words[0] === 'export') return exportCalls(running, screen, { ...words, words: words.words.slice(1) });
  const body = await read(running, `/api/v1/calls?${queryOf(words, { limit: '40' })}`, CallsBody);
  const rows = body?.items ?? [];
  if (rows.length === 0) writeLine(screen, 'No calls yet.');
  else screen.write(harmless(table(titles, rows.map(rowOf))));
  if (follow) for await (const event of running.events()) writeChange(screen, event);
  return 0;
}

/** Page after page, as long as there are more. */
async function exportCalls(running: Running, screen: Screen, words: Words): Promise<number> {
  if (!words.json) screen.write(csvTitles);
  for (let after: string | undefined; ; ) {
    const query = queryOf(words, { limit: '1000', ...(after === undefined ? {} : { after }) });
    const body = await read(running, `/api/v1/calls?${query}`, CallsBody);
    // Half a file looks like a whole one.
    if (body?.complete === false) throw new Failure('database-down');
    for (const call of body?.items ?? [])
      screen.write(words.json ? `${harmless(JSON.stringify(call))}\n` : csvOf(call));
    after = body?.next ?? undefined;
    if (after === undefined) return 0;
  }
}

function queryOf({ words, account, since, until }: Words, page: Readonly<Record<string, string>>): URLSearchParams {
  const [state] = words;
  const wanted = { state, account, since: timeOf(since), until: timeOf(until) };
  const query = new URLSearchParams(page);
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) query.set(name, value);
  return query;
}

/** A day alone is its beginning, UTC. */
function timeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`"${text}" is no time; it looks like 2026-01-31 or 2026-01-31T18:00:00Z.`);
  return new Date(ms).toISOString();
}

const titles = ['ID', 'STARTED', 'STATE', 'FROM', 'TO', 'LASTED', 'BY', 'PACKETS', 'MOS'];

function rowOf(call: Call): readonly string[] {
  const outcome = call.state === 'failed' && call.status !== null ? `failed ${call.status}` : call.state;
  const media = [ofLegs(call, packetsOf).join('/'), [...new Set(ofLegs(call, qualityOf))].join('/')];
  const who = [short(call.from), short(inSameDomain(call))];
  return [call.id, began(call.startedAt), outcome, ...who, lasted(call), call.endedBy ?? '', ...media];
}

type Leg = Call['legs'][number];

/** Of caller and callee; nothing where nobody answered. */
function ofLegs({ legs, answeredAt }: Call, word: (leg: Leg) => string): readonly string[] {
  return answeredAt === null ? [] : legs.map(word);
}

const packetsOf = ({ packets }: Leg): string => String(packets ?? '–');
const qualityOf = ({ mos, noQuality }: Leg): string => (mos === null ? (noQuality ?? '–') : mos.toFixed(1));

/** The time of today, and day and time of before. */
function began(at: string): string {
  const today = new Date().toISOString().slice(0, 10);
  return at.startsWith(today) ? at.slice(11, 19) : at.slice(5, 16).replace('T', ' ');
}

/** Whom he called, without a domain that stands beside it. */
function inSameDomain({ from, to }: Call): string {
  const domain = from.slice(from.lastIndexOf('@'));
  return from.includes('@') && to.endsWith(domain) ? to.slice(0, -domain.length) : to;
}

function short(uri: string): string {
  const text = uri.replace(/^sips?:/, '');
  return text.length <= 20 ? text : `${text.slice(0, 19)}…`;
}

function lasted({ answeredAt, endedAt }: Call): string {
  if (answeredAt === null) return '';
  const ms = (endedAt === null ? Date.now() : Date.parse(endedAt)) - Date.parse(answeredAt);
  return `${(ms / 1000).toFixed(0)} s`;
}

function writeChange(screen: Screen, event: unknown): void {
  if (!Value.Check(HappeningBody, event) || event.type !== 'call') return;
  const { change, call } = event;
  const tone = change === 'failed' ? 'bad' : change === 'answered' ? 'good' : 'plain';
  const why = change === 'failed' ? `  ${call.status ?? ''} ${call.reason ?? ''}` : '';
  const now = new Date().toISOString().slice(11, 19);
  writeLine(screen, `${now}  ${change.padEnd(8)}  ${call.id}  ${short(call.from)} → ${short(call.to)}${why}`, tone);
}

// --- ladder ----------------------------------------------------------------------------------------------------------

const pollMs = 500;

export async function ladderCommand(running: Running, screen: Screen, { words, follow }: Words): Promise<number> {
  const id = await idOf(running, words[0]);
  let drawn: readonly string[] = [];
  for (;;) {
    const ladder = await read(running, `/api/v1/calls/${id}/ladder`, LadderBody);
    if (ladder === undefined) throw new Failure('call-unknown', words[0] ?? '');
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
