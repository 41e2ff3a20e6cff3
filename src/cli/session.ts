/** `viaduct session`: short-lived logins for browsers, made and revoked by the running proxy. */
import { parseArgs } from 'node:util';
import { Value } from 'typebox/value';
import { SessionBody, SessionsBody } from '../../routes/http/sessions.ts';
import { Failure } from '../errors.ts';
import { findRunning, type Running } from './running.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

export const sessionHelp = `Short-lived logins, for browsers that must not know the password of an account.

  viaduct session NAME[@DOMAIN] [--minutes N]   make one, for an hour
  viaduct session list                          show those that hold
  viaduct session end ID                        revoke one: its calls end

  --url http://HOST:PORT   of a Viaduct that is not of this DATA_DIR
`;

const path = '/api/v1/sessions';

type Asked = Pick<Running, 'get' | 'post' | 'remove'>;

/** The exit code: 0 done, 1 there is none, 2 not understood. */
export async function sessionCommand(
  running: Asked,
  [verb, id, ...rest]: readonly string[],
  minutes: string | undefined,
  write: (text: string) => void,
): Promise<number> {
  const isMinutes = minutes === undefined || /^\d{1,4}$/.test(minutes);
  if (!isMinutes) throw new UsageError(`--minutes ${minutes}: write a number of minutes, such as --minutes 30.`);
  if (verb === undefined || verb === 'help' || rest.length > 0) {
    write(sessionHelp);
    return verb === 'help' ? 0 : 2;
  }
  if (verb === 'list') return list(running, write);
  if (verb === 'end') return end(running, id ?? '', write);
  return add(running, verb, minutes === undefined ? {} : { expiresSeconds: Number(minutes) * 60 }, write);
}

async function add(running: Asked, address: string, wish: object, write: (text: string) => void): Promise<number> {
  const body = await running.post(path, 'api-refused', { address, ...wish });
  if (!Value.Check(SessionBody, body)) throw otherForm();
  const { username, password, webSocket, expiresAt } = body;
  const rows = [
    ['address', body.address],
    ['login name', username],
    ['password', `${password} (not shown again)`],
    ['WebSocket', webSocket ?? 'none: LISTEN has no wss'],
    ['until', expiresAt],
  ];
  write(table(['', ''], rows));
  return 0;
}

async function list(running: Asked, write: (text: string) => void): Promise<number> {
  const body = await running.get(`${path}?limit=500`);
  if (!Value.Check(SessionsBody, body)) throw otherForm();
  const rows = body.items.map(({ id, address, expiresAt }) => [id, address, expiresAt]);
  write(rows.length === 0 ? 'There are none.\n' : table(['id', 'account', 'until'], rows));
  return 0;
}

async function end(running: Asked, id: string, write: (text: string) => void): Promise<number> {
  // Another form is no session, and would be refused as a bad question.
  const done = /^session-[0-9a-f]{24}$/.test(id) && (await running.remove(`${path}/${encodeURIComponent(id)}`));
  write(done ? `${id} has ended.\n` : `There is no session ${id}; \`viaduct session list\` shows them.\n`);
  return done ? 0 : 1;
}

const otherForm = (): Failure => new Failure('api-refused', `${path} answers in another form.`);

export async function sessionHere(args: readonly string[]): Promise<number> {
  const options = { url: { type: 'string' }, minutes: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options, strict: false });
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return await sessionCommand(findRunning(text(values.url)), positionals, text(values.minutes), (words) =>
    process.stdout.write(words),
  );
}
