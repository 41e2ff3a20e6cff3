/**
 * `viaduct alias`: other names of accounts, and dial rules. What a pattern is stands in `src/proxy/dial-rule.ts`, what
 * becomes of a call for one in `routes/location.ts`.
 */
import { fromDatabase, toDatabase } from '../adapters/postgres/text.ts';
import { aliasKey } from '../engine/operations/aliases.ts';
import { failureOf } from '../errors.ts';
import type { Alias, AliasStore } from '../ports.ts';
import { isTarget, printPattern } from '../proxy/dial-rule.ts';
import { table } from './table.ts';
import { UsageError, usageWords } from './usage-error.ts';

export interface AliasDatabase {
  readonly aliases: AliasStore;
  close(): Promise<void>;
}

export interface AliasCommandContext {
  openDatabase(): Promise<AliasDatabase>;
  /** Where a pattern without @DOMAIN belongs: the first of DOMAINS. */
  readonly defaultDomain: string;
  write(text: string): void;
  writeError(text: string): void;
}

export const aliasHelp = `Other names of accounts, and dial rules: what a called name stands for that is
no account.

  viaduct alias add PATTERN[@DOMAIN] TARGET   say what it stands for
  viaduct alias list                          show all
  viaduct alias remove PATTERN[@DOMAIN]       forget one

  viaduct alias add alice.smith alice          one name
  viaduct alias add +4930123 alice             a number of an account
  viaduct alias add '0049*' '+49*'             0049 and more digits: these go on
  viaduct alias add '12??' 'sip:12*@192.0.2.9'   12 and two digits: elsewhere

Each ? is one digit, a * at the end one or more, which the * of TARGET repeats.
TARGET is a name of the same domain, or a SIP URI; one that leads out of
our domains is for our own users. The longest beginning counts. Quote patterns:
the shell has its own use for ? and *. Without @DOMAIN the first of DOMAINS is
meant. A change holds at once.
`;

/** 0: done. 1: not done, with the reason. 2: the command was not understood. */
export async function aliasCommand(args: readonly string[], context: AliasCommandContext): Promise<number> {
  try {
    const work = commandOf(args, context);
    if (work !== undefined) return await inDatabase(context, work);
    context.write(aliasHelp);
    return 0;
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      context.writeError(usageWords(thrown, 'alias'));
      return 2;
    }
    const failure = failureOf(thrown);
    context.writeError(
      failure.code === 'malformed' ? `${failure.detail}\n` : `${failure.message}\n${failure.row.nextStep}\n`,
    );
    return 1;
  }
}

type Work = (aliases: AliasStore) => Promise<number>;

function commandOf(
  [verb = 'help', pattern, target, ...rest]: readonly string[],
  context: AliasCommandContext,
): Work | undefined {
  if (verb === 'help') return undefined;
  if (verb === 'list') return (aliases) => list(aliases, context);
  if (verb !== 'add' && verb !== 'remove') throw new UsageError(`There is no command "alias ${verb}".`);
  if (pattern === undefined) throw new UsageError('Which name or number? It is missing.');
  const key = aliasKey(fromDatabase(pattern), context.defaultDomain);
  if (verb === 'remove' && target === undefined) return (aliases) => remove(aliases, key, context);
  if (verb === 'remove' || target === undefined || rest.length > 0) {
    throw new UsageError(`alias ${verb} takes ${verb === 'add' ? 'a pattern and what it stands for' : 'one pattern'}.`);
  }
  if (!isTarget(fromDatabase(target))) throw new UsageError(`"${target}" is neither a name nor a SIP URI.`);
  return (aliases) => add(aliases, { ...key, target: fromDatabase(target) }, context);
}

async function inDatabase(context: AliasCommandContext, work: Work): Promise<number> {
  const database = await context.openDatabase();
  try {
    return await work(database.aliases);
  } finally {
    await database.close();
  }
}

async function add(aliases: AliasStore, alias: Alias, { write }: AliasCommandContext): Promise<number> {
  await aliases.put(alias);
  write(`${shown(alias)} stands for ${toDatabase(alias.target)}.\n`);
  return 0;
}

async function remove(aliases: AliasStore, key: Omit<Alias, 'target'>, context: AliasCommandContext): Promise<number> {
  const done = await aliases.remove(key);
  if (done) context.write(`Removed ${shown(key)}.\n`);
  else context.writeError(`There is no alias ${shown(key)}; \`viaduct alias list\` shows them.\n`);
  return done ? 0 : 1;
}

const pageSize = 500;

async function list(aliases: AliasStore, { write }: AliasCommandContext): Promise<number> {
  const all: Alias[] = [];
  for (let page = await aliases.page(pageSize); page.length > 0; page = await aliases.page(pageSize, page.at(-1))) {
    all.push(...page);
  }
  const rows = all.map((one) => [toDatabase(printPattern(one)), toDatabase(one.domain), toDatabase(one.target)]);
  write(
    rows.length === 0
      ? 'There are none yet. Add one: npx viaduct alias add +4930123 alice\n'
      : table(['name', 'domain', 'stands for'], rows),
  );
  return 0;
}

function shown({ domain, ...pattern }: Omit<Alias, 'target'>): string {
  return toDatabase(`${printPattern(pattern)}@${domain}`);
}
