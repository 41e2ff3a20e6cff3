/** `viaduct user` with the settings, the database and the terminal of this process. */
import { localAddresses } from '../adapters/network/addresses.ts';
import { servedDomains } from '../config/served-domains.ts';
import { readSettings } from '../config.ts';
import type { Log } from '../ports.ts';
import { passwordInput } from './password.ts';
import { userCommand } from './user.ts';
import { openUserDatabase } from './user-database.ts';

/** A command is not a server: what matters it prints itself. */
const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export async function userHere(args: readonly string[]): Promise<number> {
  const settings = readSettings(process.env);
  const { databaseUrl, dataDir } = settings;
  return await userCommand(args, {
    openDatabase: () => openUserDatabase({ databaseUrl, dataDir, log: quiet }),
    passwords: passwordInput(process.stdin, process.stderr),
    defaultDomain: servedDomains(settings, localAddresses)[0] ?? '127.0.0.1',
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
  });
}
