/** `viaduct reload`: what the running proxy says to `POST /api/v1/reload`, for a person. */
import { Value } from 'typebox/value';
import { ReloadBody } from '../../routes/http/schemas.ts';
import { Failure } from '../errors.ts';
import { findRunning, type Running } from './running.ts';
import { argumentsOf } from './usage-error.ts';

export const reloadHelp = `viaduct reload [--url http://HOST:PORT]

The running proxy reads its settings, tls.cfg with its files and routes/ again;
no call and no connection is lost. Prints what has changed. With a mistake
anywhere nothing changes, and it says where.
`;

/** The exit code: 0 done. What is refused is thrown. */
export async function reloadCommand(running: Running, write: (text: string) => void): Promise<number> {
  const body = await running.post('/api/v1/reload', 'reload-refused');
  if (!Value.Check(ReloadBody, body)) throw new Failure('api-refused', '/api/v1/reload answers in another form.');
  const { changed, needsRestart } = body;
  write(
    changed.length === 0 ? 'Nothing has changed.\n' : `Reloaded:\n${changed.map((line) => `  ${line}\n`).join('')}`,
  );
  if (needsRestart.length > 0) write(`Waiting for a restart: ${needsRestart.join(', ')}\n`);
  return 0;
}

export async function reloadHere(args: readonly string[]): Promise<number> {
  const { options } = argumentsOf(args, ['url'], 0);
  return await reloadCommand(findRunning(options.url), (text) => process.stdout.write(text));
}
