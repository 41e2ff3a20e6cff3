/** `viaduct log-level`: how much the running proxy logs, shown or changed. */
import { Value } from 'typebox/value';
import { LogLevelBody } from '../../routes/http/schemas.ts';
import { Failure } from '../errors.ts';
import { findRunning, type Running } from './running.ts';
import { argumentsOf, UsageError } from './usage-error.ts';

export const logLevelHelp = `viaduct log-level [LEVEL] [--url http://HOST:PORT]

Shows how much the running proxy logs, or changes it until its next start.
LEVEL is one of trace|debug|info|warn|error|silent. At info there is a line for
each call when it is over; at debug one for each message.
`;

const path = '/api/v1/log-level';
const levels: readonly string[] = LogLevelBody.properties.level.anyOf.map((literal) => literal.const);

/** Before anybody is asked. */
function checkLevel(level: string | undefined): void {
  if (level === undefined || Value.Check(LogLevelBody, { level })) return;
  throw new UsageError(`There is no level "${level}": write one of ${levels.join(', ')}.`);
}

/** The exit code: 0 done. */
export async function logLevelCommand(
  running: Pick<Running, 'get' | 'put'>,
  level: string | undefined,
  write: (text: string) => void,
): Promise<number> {
  checkLevel(level);
  const body = level === undefined ? await running.get(path) : await running.put(path, { level });
  if (!Value.Check(LogLevelBody, body)) throw new Failure('api-refused', `${path} answers in another form.`);
  write(`${body.level}\n`);
  return 0;
}

export async function logLevelHere(args: readonly string[]): Promise<number> {
  const { words, options } = argumentsOf(args, ['url'], 1);
  const [level] = words;
  checkLevel(level);
  return await logLevelCommand(findRunning(options.url), level, (text) => process.stdout.write(text));
}
