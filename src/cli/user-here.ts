/** `viaduct user`, `viaduct alias` and `viaduct import` with the settings, the database and the terminal of this process. */
import { localAddresses } from '../adapters/network/addresses.ts';
import { servedDomains } from '../config/served-domains.ts';
import { readSettings, type Settings } from '../config.ts';
import { Failure } from '../errors.ts';
import type { Log } from '../ports.ts';
import { aliasCommand } from './alias.ts';
import { importCommand } from './import.ts';
import { hereBySettings } from './kamailio/here.ts';
import { passwordInput } from './password.ts';
import { findRunning, type Running } from './running.ts';
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
    defaultDomain: defaultDomain(settings),
    isServed: (domain) => servedDomains(settings, localAddresses).some((one) => one.toLowerCase() === domain),
    shutRunning: (address, disabled) => ifRunning((running) => running.patch(accountPath(address), { disabled })),
    removeRunning: (address) => ifRunning((running) => running.remove(accountPath(address))),
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
  });
}

export async function importHere(args: readonly string[]): Promise<number> {
  const settings = readSettings(process.env);
  const { databaseUrl, dataDir } = settings;
  return await importCommand(args, {
    openDatabase: () => openUserDatabase({ databaseUrl, dataDir, log: quiet }),
    defaultDomain: defaultDomain(settings),
    here: () => hereBySettings(settings),
    limit: { contacts: settings.maxContacts, whenFull: 'refuse' },
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
  });
}

export async function aliasHere(args: readonly string[]): Promise<number> {
  const settings = readSettings(process.env);
  const { databaseUrl, dataDir } = settings;
  return await aliasCommand(args, {
    openDatabase: () => openUserDatabase({ databaseUrl, dataDir, log: quiet }),
    defaultDomain: defaultDomain(settings),
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
  });
}

function defaultDomain(settings: Settings): string {
  return servedDomains(settings, localAddresses)[0] ?? '127.0.0.1';
}

const accountPath = (address: string): string => `/api/v1/subscribers/${encodeURIComponent(address)}`;

/** `false`: none runs here, or it does not know the account. */
async function ifRunning(ask: (running: Running) => Promise<unknown>): Promise<boolean> {
  try {
    return (await ask(findRunning(undefined))) !== false;
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'not-running') return false;
    throw thrown;
  }
}
