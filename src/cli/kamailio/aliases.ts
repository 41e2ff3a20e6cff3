/** Kamailio's table `dbaliases` as aliases here; patterns that are here already stay as they are. */
import { fromDatabase } from '../../adapters/postgres/text.ts';
import type { Alias, AliasStore } from '../../ports.ts';
import { isTarget, printPattern } from '../../proxy/dial-rule.ts';
import { isAccountName } from './accounts.ts';
import type { Outcome } from './outcome.ts';
import type { AliasRow } from './tables.ts';

const pageSize = 500;

export async function takeOverAliases(
  rows: readonly AliasRow[],
  aliases: AliasStore,
  isDry: boolean,
  defaultDomain: string,
): Promise<Outcome> {
  const remarks: (readonly [string, string])[] = [];
  const known = await patterns(aliases);
  let taken = 0;
  for (const row of rows) {
    const alias = aliasOf(row, defaultDomain);
    const isKnown = typeof alias !== 'string' && known.has(keyOf(alias));
    const why = isKnown ? 'it is here already, and stays as it is' : typeof alias === 'string' ? alias : undefined;
    if (why !== undefined) remarks.push([`${row.alias_username}@${row.alias_domain}`, `not taken: ${why}`]);
    if (why !== undefined || typeof alias === 'string') continue;
    if (!isDry) await aliases.put(alias);
    known.add(keyOf(alias));
    taken += 1;
  }
  return { remarks, taken, rows: rows.length, notes: [] };
}

async function patterns(aliases: AliasStore): Promise<Set<string>> {
  const all: Alias[] = [];
  for (let page = await aliases.page(pageSize); page.length > 0; page = await aliases.page(pageSize, page.at(-1))) {
    all.push(...page);
  }
  return new Set(all.map(keyOf));
}

function keyOf({ domain, ...pattern }: Alias): string {
  return `${printPattern(pattern)}@${domain}`;
}

/** Or the reason why not. */
function aliasOf(row: AliasRow, defaultDomain: string): Alias | string {
  // `?` and `*` would stand for digits here.
  if (!isAccountName(row.alias_username) || /[?*]/.test(row.alias_username) || row.alias_username.length > 64)
    return 'its name cannot be one here';
  const domain = row.alias_domain.toLowerCase() || defaultDomain;
  const targetDomain = row.domain.toLowerCase() || defaultDomain;
  const name = fromDatabase(row.username);
  const target = targetDomain === domain ? name : `sip:${name}@${targetDomain}`;
  if (!isAccountName(row.username) || !isTarget(target)) return 'what it stands for is no address';
  return { domain, prefix: fromDatabase(row.alias_username), digits: 0, hasRest: false, target };
}
