/** `viaduct calls` and `viaduct ladder`: which calls there are, and what passed in one of them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { CallsBody, HappeningBody, LadderBody } from '../../routes/http/schemas.ts';
import { callIdHash } from '../dialog/call-id-hash.ts';
import { Failure } from '../errors.ts';
import type { Running } from './running.ts';
import { table } from './table.ts';
import { harmless, type Screen, writeLine } from './terminal.ts';

type Call = Static<typeof CallsBody>['items'][number];

export const callsHelp = `viaduct calls [ringing|answered|ended|failed] [--follow] [--url http://HOST:PORT]

The calls in progress and the recent ones, newest first; --follow goes on with what happens from now on.
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
  readonly url: string | undefined;
}

export function wordsOf(args: readonly string[]): Words {
  const at = args.indexOf('--url');
  const url = at < 0 ? undefined : args[at + 1];
  const words = args.filter((arg, index) => !arg.startsWith('--') && (at < 0 || index !== at + 1));
  return { words, follow: args.includes('--follow'), sdp: args.includes('--sdp'), url };
}

// --- calls -----------------------------------------------------------------------------------------------------------

export async function callsCommand(running: Running, screen: Screen, { words, follow }: Words): Promise<number> {
  const [state] = words;
  const body = await read(running, `/api/v1/calls?limit=40${state === undefined ? '' : `&state=${state}`}`, CallsBody);
  const rows = body?.items ?? [];
  if (rows.length === 0) writeLine(screen, 'No calls yet.');
  else screen.write(harmless(table(titles, rows.map(rowOf))));
  if (follow) for await (const event of running.events()) writeChange(screen, event);
  return 0;
}

const titles = ['ID', 'STARTED', 'STATE', 'FROM', 'TO', 'LASTED'];

function rowOf(call: Call): readonly string[] {
  const outcome = call.state === 'failed' && call.status !== null ? `failed ${call.status}` : call.state;
  return [call.id, call.startedAt.slice(11, 19), outcome, short(call.from), short(call.to), lasted(call)];
}

function short(uri: string): string {
  const text = uri.replace(/^sips?:/, '');
  return text.length <= 22 ? text : `${text.slice(0, 21)}…`;
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
