/** `viaduct session`: short-lived logins for browsers, made and revoked by the running proxy. */
import { Value } from 'typebox/value';
import { SessionBody, SessionsBody } from '../../routes/http/sessions.ts';
import { Failure } from '../errors.ts';
import { findRunning, type Running } from './running.ts';
import { table } from './table.ts';
import { argumentsOf, tooMany, UsageError } from './usage-error.ts';

export const sessionHelp = `Short-lived logins, for browsers that must not know the password of an account.

  viaduct session NAME[@DOMAIN] [--minutes N]   make one, for an hour;
                                                N is 1 to 1440
  viaduct session list                          show those that hold
  viaduct session end ID                        revoke one: its calls end

  --url http://HOST:PORT   of a Viaduct that is not of this DATA_DIR
`;

const path = '/api/v1/sessions';
/** A day: what REST grants. */
const mostMinutes = 1440;

type Asked = Pick<Running, 'get' | 'post' | 'remove'>;

/** The exit code: 0 done, 1 there is none. What was not understood is thrown before anybody is asked. */
export async function sessionCommand(
  running: Asked,
  words: readonly string[],
  minutes: string | undefined,
  out: Out,
): Promise<number> {
  const [verb, id] = understood(words, minutes);
  if (verb === 'list') return list(running, out);
  if (verb === 'end') return end(running, id, out);
  return add(running, verb, minutes === undefined ? {} : { expiresSeconds: Number(minutes) * 60 }, out);
}

interface Out {
  write(text: string): void;
  writeError(text: string): void;
}

function understood([verb = '', id, ...rest]: readonly string[], minutes: string | undefined): [string, string] {
  const isMinutes = minutes === undefined || (/^[1-9]\d{0,3}$/.test(minutes) && Number(minutes) <= mostMinutes);
  if (!isMinutes) throw new UsageError(`--minutes ${minutes}: write 1 to ${mostMinutes}, such as --minutes 30.`);
  if (verb === 'end' && id === undefined) throw new UsageError('Which session? Its id is missing.');
  tooMany([verb, ...(id === undefined ? [] : [id]), ...rest], verb === 'end' ? 2 : 1);
  return [verb, id ?? ''];
}

async function add(running: Asked, address: string, wish: object, { write, writeError }: Out): Promise<number> {
  const body = await running.post(path, 'api-refused', { address, ...wish });
  if (body === undefined) {
    writeError(`There is no account ${address}, or it is disabled; \`viaduct user list\` shows them.\n`);
    return 1;
  }
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

async function list(running: Asked, { write }: Out): Promise<number> {
  const body = await running.get(`${path}?limit=500`);
  if (!Value.Check(SessionsBody, body)) throw otherForm();
  const rows = body.items.map(({ id, address, expiresAt }) => [id, address, expiresAt]);
  write(
    rows.length === 0
      ? 'There are none. Make one: npx viaduct session alice --minutes 30\n'
      : table(['id', 'account', 'until'], rows),
  );
  return 0;
}

async function end(running: Asked, id: string, { write, writeError }: Out): Promise<number> {
  // Another form is no session, and would be refused as a bad question.
  const done = /^session-[0-9a-f]{24}$/.test(id) && (await running.remove(`${path}/${encodeURIComponent(id)}`));
  if (done) write(`${id} has ended.\n`);
  else writeError(`There is no session ${id}; \`viaduct session list\` shows them.\n`);
  return done ? 0 : 1;
}

const otherForm = (): Failure => new Failure('api-refused', `${path} answers in another form.`);

export async function sessionHere(args: readonly string[]): Promise<number> {
  const { words, options } = argumentsOf(args, ['url', 'minutes'], args.length);
  if (words.length === 0 || words[0] === 'help') {
    process.stdout.write(sessionHelp);
    return 0;
  }
  understood(words, options.minutes);
  return await sessionCommand(findRunning(options.url), words, options.minutes, {
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
  });
}
