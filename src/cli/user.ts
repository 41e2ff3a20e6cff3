/**
 * `viaduct user`: adds, lists and removes accounts, sets their passwords and what they want for their calls. What it does to the database stands in
 * `src/adapters/postgres/subscriber-store.ts`; how a password gets here, in `password.ts`.
 */
import { parseArgs } from 'node:util';
import type { SubscriberAdmin } from '../adapters/postgres/subscriber-store.ts';
import { fromDatabase, toDatabase } from '../adapters/postgres/text.ts';
import { failureOf } from '../errors.ts';
import type { CallSettings } from '../ports.ts';
import { generatePassword, type PasswordInput, PasswordNotGiven } from './password.ts';
import { table } from './table.ts';
import { optionError, UsageError, usageWords } from './usage-error.ts';
import { callHelp, callOptions, callsInWords, wishesOf } from './user-calls.ts';

export interface UserDatabase {
  readonly subscribers: SubscriberAdmin;
  close(): Promise<void>;
}

export interface UserCommandContext {
  openDatabase(): Promise<UserDatabase>;
  readonly passwords: PasswordInput;
  /** Where NAME without @DOMAIN belongs: the first of DOMAINS. */
  readonly defaultDomain: string;
  /** Whether the settings here have it among DOMAINS. */
  isServed(domain: string): boolean;
  /** Has the Viaduct that runs here shut an account or open it again; `false`: none runs. */
  shutRunning(address: string, disabled: boolean): Promise<boolean>;
  /** Has it remove one; `false`: none runs. */
  removeRunning(address: string): Promise<boolean>;
  write(text: string): void;
  writeError(text: string): void;
}

export const userHelp = `Accounts that may log in.

  viaduct user add NAME[@DOMAIN]        add an account
  viaduct user list                     show all accounts
  viaduct user password NAME[@DOMAIN]   set a new password
  viaduct user remove NAME[@DOMAIN]     remove an account: its calls end at once
  viaduct user disable NAME[@DOMAIN]    shut it: its calls end at once
  viaduct user enable NAME[@DOMAIN]     let it log in again
  viaduct user set NAME[@DOMAIN] …      set where its calls go; alone: show it

  --password P   the password; others on this machine see it meanwhile
  --generate     make a password and show it once
  Without either it is asked for, or read from standard input:
  echo secret | viaduct user add alice

For set; the word off takes each of them back:

${callHelp}
Without @DOMAIN the first of DOMAINS is meant. Only hashes of a password are
stored; a change holds at once.
`;

/** 0: done. 1: not done, with the reason. 2: the command was not understood. */
export async function userCommand(args: readonly string[], context: UserCommandContext): Promise<number> {
  try {
    return await run(parse(args, context.defaultDomain), context);
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      context.writeError(usageWords(thrown, 'user'));
      return 2;
    }
    if (thrown instanceof PasswordNotGiven) {
      context.writeError(`${thrown.message} Nothing was changed.\n`);
      return 1;
    }
    const failure = failureOf(thrown);
    context.writeError(`${failure.message}\n${failure.row.nextStep}\n`);
    return 1;
  }
}

// --- the command line ------------------------------------------------------------------------------------------------

interface Name {
  /** As in SIP: latin1-coded bytes. */
  readonly username: string;
  readonly domain: string;
  /** As people read it. */
  readonly shown: string;
}

interface PasswordChoice {
  readonly given: string | undefined;
  readonly generate: boolean;
}

type Command =
  | { readonly verb: 'help' }
  | { readonly verb: 'list' }
  | { readonly verb: 'remove' | 'disable' | 'enable'; readonly name: Name }
  | { readonly verb: 'set'; readonly name: Name; readonly wishes: Partial<CallSettings> }
  | { readonly verb: 'add' | 'password'; readonly name: Name; readonly choice: PasswordChoice };

function parse(args: readonly string[], defaultDomain: string): Command {
  const { values, positionals } = parseOptions(args);
  const [verb = 'help', name, ...rest] = positionals;
  if (values.help === true || verb === 'help') return { verb: 'help' };
  if (rest.length > 0) throw new UsageError(`What does "${rest[0]}" mean here?`);
  const choice = { given: values.password, generate: values.generate === true };
  if (choice.generate && choice.given !== undefined) throw new UsageError('Either --password or --generate, not both.');
  switch (verb) {
    case 'list':
      return { verb };
    case 'remove':
    case 'disable':
    case 'enable':
      return { verb, name: parseName(name, defaultDomain) };
    case 'set': {
      const account = parseName(name, defaultDomain);
      return { verb, name: account, wishes: wishesOf(values, account.domain) };
    }
    case 'add':
    case 'password':
      return { verb, name: parseName(name, defaultDomain), choice };
    default:
      throw new UsageError(`There is no command "user ${verb}".`);
  }
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        password: { type: 'string' },
        generate: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        ...callOptions,
      },
    });
  } catch (error) {
    throw optionError(error);
  }
}

function parseName(text: string | undefined, defaultDomain: string): Name {
  if (text === undefined) throw new UsageError('Which account? The name is missing.');
  const at = text.lastIndexOf('@');
  const username = at < 0 ? text : text.slice(0, at);
  const domain = (at < 0 ? defaultDomain : text.slice(at + 1)).toLowerCase();
  // A colon would make H(username:realm:password) ambiguous; the others break SIP addresses.
  if (!/^[^\s:@"\\<>\p{Cc}]{1,128}$/u.test(username)) throw new UsageError(`"${username}" cannot be an account name.`);
  if (!/^([a-z0-9_.-]{1,255}|\[[0-9a-f:.]+\])$/.test(domain)) throw new UsageError(`"${domain}" is not a domain.`);
  return { username: fromDatabase(username), domain, shown: `${username}@${domain}` };
}

// --- the commands ----------------------------------------------------------------------------------------------------

async function run(command: Command, context: UserCommandContext): Promise<number> {
  switch (command.verb) {
    case 'help':
      context.write(userHelp);
      return 0;
    case 'list':
      return inDatabase(context, (subscribers) => list(subscribers, context));
    case 'remove':
      return inDatabase(context, (subscribers) => remove(subscribers, command.name, context));
    case 'disable':
    case 'enable':
      return inDatabase(context, (subscribers) => shut(subscribers, command, context));
    case 'set':
      return inDatabase(context, (subscribers) => set(subscribers, command, context));
    case 'add':
    case 'password': {
      const password = await passwordFor(command.choice, context);
      return inDatabase(context, (subscribers) => store(subscribers, command, password, context));
    }
    default:
      return command satisfies never;
  }
}

async function inDatabase(
  context: UserCommandContext,
  work: (subscribers: SubscriberAdmin) => Promise<number>,
): Promise<number> {
  const database = await context.openDatabase();
  try {
    return await work(database.subscribers);
  } finally {
    await database.close();
  }
}

async function passwordFor({ given, generate }: PasswordChoice, { passwords }: UserCommandContext): Promise<string> {
  if (generate) return generatePassword();
  const password = given ?? (await passwords.obtain());
  if (password === '') throw new PasswordNotGiven('The password is empty.');
  if (/\p{Cc}/u.test(password)) throw new PasswordNotGiven('The password has a control character.');
  return password;
}

async function store(
  subscribers: SubscriberAdmin,
  { verb, name, choice }: Extract<Command, { verb: 'add' | 'password' }>,
  password: string,
  context: UserCommandContext,
): Promise<number> {
  const change = verb === 'add' ? subscribers.add : subscribers.setPassword;
  if (!(await change(name.username, name.domain, fromDatabase(password)))) {
    context.writeError(verb === 'add' ? `${name.shown} is there already.\n` : noSuch(name));
    return 1;
  }
  context.write(verb === 'add' ? `Added ${name.shown}.\n` : `${name.shown} has a new password.\n`);
  if (choice.generate) context.write(`Password: ${password}\nIt is not shown again.\n`);
  // REST refuses it; here accounts may be made before their domain.
  if (verb === 'add' && !context.isServed(name.domain)) {
    context.write(`${name.domain} is not served here: nobody logs in as ${name.shown} until it is in DOMAINS.\n`);
  }
  return 0;
}

/** By the running Viaduct where there is one: only that can end the calls, and forget the devices. */
async function remove(subscribers: SubscriberAdmin, name: Name, context: UserCommandContext): Promise<number> {
  if ((await subscribers.account(name.username, name.domain)) === undefined) {
    context.writeError(noSuch(name));
    return 1;
  }
  const told = await context.removeRunning(name.shown);
  if (!told) await subscribers.remove(name.username, name.domain);
  const stay = told ? '' : ' Devices that are registered stay until their registration expires.';
  context.write(`Removed ${name.shown}.${stay}\n`);
  return 0;
}

/** The same. */
async function shut(
  subscribers: SubscriberAdmin,
  { verb, name }: { readonly verb: 'remove' | 'disable' | 'enable'; readonly name: Name },
  context: UserCommandContext,
): Promise<number> {
  const disabled = verb === 'disable';
  if ((await subscribers.account(name.username, name.domain)) === undefined) {
    context.writeError(noSuch(name));
    return 1;
  }
  const told = await context.shutRunning(name.shown, disabled);
  if (!told) await subscribers.setDisabled(name.username, name.domain, disabled);
  context.write(`${name.shown} ${disabled ? 'is shut' : 'may log in again'}.\n`);
  return 0;
}

async function set(
  subscribers: SubscriberAdmin,
  { name, wishes }: Extract<Command, { verb: 'set' }>,
  context: UserCommandContext,
): Promise<number> {
  const account = await subscribers.find(name.username, name.domain);
  const calls = account && { ...account.calls, ...wishes };
  if (calls === undefined || !(await subscribers.setCalls(name.username, name.domain, calls))) {
    context.writeError(noSuch(name));
    return 1;
  }
  context.write(table([name.shown, ''], callsInWords(calls)));
  return 0;
}

async function list(subscribers: SubscriberAdmin, context: UserCommandContext): Promise<number> {
  const accounts = await subscribers.list();
  if (accounts.length === 0) {
    context.write('There are no accounts yet. Add one: npx viaduct user add alice\n');
    return 0;
  }
  const rows = accounts.map(({ username, domain, disabled, createdAtMs, updatedAtMs }) => [
    `${toDatabase(username)}${disabled ? ' (disabled)' : ''}`,
    toDatabase(domain),
    minute(createdAtMs),
    minute(updatedAtMs),
  ]);
  context.write(table(['name', 'domain', 'added (UTC)', 'password set'], rows));
  return 0;
}

function noSuch({ shown }: Name): string {
  return `There is no account ${shown}; \`viaduct user list\` shows them.\n`;
}

function minute(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
}
