/** `viaduct log-level`: how much the running proxy logs, shown or changed. */
import { Value } from 'typebox/value';
import { LogLevelBody } from '../../routes/http/schemas.ts';
import { Failure } from '../errors.ts';
import { findRunning, type Running } from './running.ts';

export const logLevelHelp = `viaduct log-level [LEVEL] [--url http://HOST:PORT]

Shows how much the running proxy logs, or changes it until its next start.
LEVEL is one of trace|debug|info|warn|error|silent. At info there is a line for
each call when it is over; at debug one for each message.
`;

const path = '/api/v1/log-level';

/** The exit code: 0 done, 2 there is no such level. */
export async function logLevelCommand(
  running: Pick<Running, 'get' | 'put'>,
  level: string | undefined,
  write: (text: string) => void,
): Promise<number> {
  const wanted = { level };
  if (level !== undefined && !Value.Check(LogLevelBody, wanted)) {
    write(`There is no level "${level}".\n\n${logLevelHelp}`);
    return 2;
  }
  const body = level === undefined ? await running.get(path) : await running.put(path, wanted);
  if (!Value.Check(LogLevelBody, body)) throw new Failure('api-refused', `${path} answers in another form.`);
  write(`${body.level}\n`);
  return 0;
}

export async function logLevelHere(args: readonly string[]): Promise<number> {
  const at = args.indexOf('--url');
  const [level] = at < 0 ? args : args.toSpliced(at, 2);
  return await logLevelCommand(findRunning(at < 0 ? undefined : (args[at + 1] ?? '')), level, (text) =>
    process.stdout.write(text),
  );
}
