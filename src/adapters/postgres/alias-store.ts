/** Aliases and dial rules: what `viaduct alias` and REST do with them. How one is found: `subscriber-store.ts`. */
import { lower } from '../../message/ascii.ts';
import type { Alias, AliasStore } from '../../ports.ts';
import type { Pool } from './pool.ts';
import { fromDatabase, toDatabase } from './text.ts';

export interface AliasRow {
  readonly domain: string;
  readonly prefix: string;
  readonly digits: number;
  readonly has_rest: boolean;
  readonly target: string;
}

const PUT = `INSERT INTO alias (domain, prefix, digits, has_rest, target) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (domain, prefix, digits, has_rest) DO UPDATE SET target = excluded.target`;
const REMOVE = `DELETE FROM alias WHERE domain = $1 AND prefix = $2 AND digits = $3 AND has_rest = $4 RETURNING domain`;
const PAGE = `SELECT domain, prefix, digits, has_rest, target FROM alias
  WHERE (domain, prefix, digits, has_rest) > ($1, $2, $3, $4) ORDER BY domain, prefix, digits, has_rest LIMIT $5`;
/** Before all others. */
const first: AliasKey = { domain: '', prefix: '', digits: -1, hasRest: false };

type AliasKey = Omit<Alias, 'target'>;

export function createAliasStore(pool: Pool): AliasStore {
  return {
    put: async (alias) => {
      await pool.query({ name: 'alias-put', text: PUT, values: [...keyOf(alias), toDatabase(alias.target)] });
    },
    remove: async (key) => (await pool.query({ name: 'alias-remove', text: REMOVE, values: keyOf(key) })).length > 0,
    page: async (limit, after = first) => {
      const rows = await pool.query<AliasRow>({ name: 'alias-page', text: PAGE, values: [...keyOf(after), limit] });
      return rows.map(aliasOf);
    },
  };
}

export function aliasOf({ domain, prefix, digits, has_rest, target }: AliasRow): Alias {
  const names = { domain: fromDatabase(domain), prefix: fromDatabase(prefix), target: fromDatabase(target) };
  return { ...names, digits, hasRest: has_rest };
}

function keyOf({ domain, prefix, digits, hasRest }: AliasKey): readonly unknown[] {
  return [toDatabase(lower(domain)), toDatabase(prefix), digits, hasRest];
}
