/** The table of accounts in memory, for `memory-stores.ts`. */
import { ha1 } from '../../src/auth/digest.ts';
import type {
  Account,
  Alias,
  AliasStore,
  CallSettings,
  Clock,
  Session,
  SessionStore,
  Subscriber,
  SubscriberAccounts,
} from '../../src/ports.ts';
import { standsFor } from '../../src/proxy/dial-rule.ts';
import { ringsOnly } from './fake-proxy.ts';
import type { Run } from './memory-presence.ts';

interface AccountRow {
  readonly account: Account;
  readonly subscriber: Subscriber;
}

export interface MemoryAccounts {
  readonly store: SubscriberAccounts;
  readonly aliases: AliasStore;
  readonly sessions: SessionStore;
  put(username: string, domain: string, password: string): void;
  setCalls(username: string, domain: string, calls: Partial<CallSettings>): void;
}

export function createMemoryAccounts(clock: Clock, run: Run): MemoryAccounts {
  const table = new Map<string, AccountRow>();
  const keyOf = (username: string, domain: string): string => `${username}@${domain}`;
  const put = (username: string, domain: string, password: string): void => {
    const atMs = clock.nowMs();
    const hashes = {
      ha1Md5: ha1('MD5', username, domain, password),
      ha1Sha256: ha1('SHA-256', username, domain, password),
    };
    const account = { username, domain, disabled: false, createdAtMs: atMs, updatedAtMs: atMs };
    table.set(keyOf(username, domain), { account, subscriber: { username, domain, ...hashes, calls: ringsOnly } });
  };
  const row = (username: string, domain: string): AccountRow | undefined => table.get(keyOf(username, domain));
  const change = (username: string, domain: string, changed: (old: AccountRow) => void): boolean => {
    const old = row(username, domain);
    if (old !== undefined) changed(old);
    return old !== undefined;
  };
  const inOrder = (): readonly Account[] =>
    [...table.values()]
      .map(({ account }) => account)
      .sort((a, b) => (`${a.domain} ${a.username}` < `${b.domain} ${b.username}` ? -1 : 1));
  const isAfter = (one: Account, after: { username: string; domain: string } | undefined): boolean =>
    after === undefined || `${one.domain} ${one.username}` > `${after.domain} ${after.username}`;
  const aliases = createMemoryAliases(run);
  const store: SubscriberAccounts = {
    find: (username, domain) =>
      run(() => {
        const found = row(username, domain);
        return found?.account.disabled === false ? found.subscriber : undefined;
      }),
    callee: (username, domain) =>
      run(() => {
        const found = row(username, domain);
        return found?.account.disabled === false ? found.subscriber : aliases.best(username, domain);
      }),
    add: (username, domain, password) =>
      run(() => {
        if (row(username, domain) !== undefined) return false;
        put(username, domain, password);
        return true;
      }),
    setPassword: (username, domain, password) =>
      run(() =>
        change(username, domain, ({ account, subscriber }) => {
          put(username, domain, password);
          const fresh = row(username, domain);
          table.set(keyOf(username, domain), {
            account,
            subscriber: { ...subscriber, ...fresh?.subscriber, calls: subscriber.calls },
          });
        }),
      ),
    setDisabled: (username, domain, disabled) =>
      run(() =>
        change(username, domain, ({ account, subscriber }) => {
          table.set(keyOf(username, domain), { account: { ...account, disabled }, subscriber });
        }),
      ),
    remove: (username, domain) => run(() => table.delete(keyOf(username, domain))),
    account: (username, domain) => run(() => row(username, domain)?.account),
    page: (limit, after) =>
      run(() =>
        inOrder()
          .filter((one) => isAfter(one, after))
          .slice(0, limit),
      ),
  };
  const setCalls = (username: string, domain: string, calls: Partial<CallSettings>): void => {
    change(username, domain, ({ account, subscriber }) => {
      const wanted = { ...subscriber, calls: { ...ringsOnly, ...calls } };
      table.set(keyOf(username, domain), { account, subscriber: wanted });
    });
  };
  const sessions = createMemorySessions(clock, run, (username, domain) => {
    const found = row(username, domain);
    return found?.account.disabled === false ? found.subscriber : undefined;
  });
  return { store, aliases, sessions, put, setCalls };
}

function createMemorySessions(
  clock: Clock,
  run: Run,
  account: (username: string, domain: string) => Subscriber | undefined,
): SessionStore {
  const table = new Map<string, { readonly session: Session; readonly password: string }>();
  const found = (id: string): Subscriber | undefined => {
    const row = table.get(id);
    if (row === undefined || row.session.expiresAtMs <= clock.nowMs()) return undefined;
    const { username, domain } = row.session;
    const owner = account(username, domain);
    const ha1Md5 = ha1('MD5', id, domain, row.password);
    const ha1Sha256 = ha1('SHA-256', id, domain, row.password);
    return owner && { ...owner, ha1Md5, ha1Sha256, session: id };
  };
  return {
    find: (id) => run(() => found(id)),
    add: (session, password) =>
      run(() => {
        if (account(session.username, session.domain) === undefined) return false;
        table.set(session.id, { session, password });
        return true;
      }),
    remove: (id) => run(() => table.delete(id)),
    alive: (ids) => run(() => ids.filter((id) => found(id) !== undefined)),
    page: (limit, after = '') =>
      run(() =>
        [...table.values()]
          .map(({ session }) => session)
          .filter(({ id }) => id > after)
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .slice(0, limit),
      ),
  };
}

interface MemoryAliases extends AliasStore {
  best(username: string, domain: string): Alias | undefined;
}

function createMemoryAliases(run: Run): MemoryAliases {
  const table = new Map<string, Alias>();
  const keyOf = ({ domain, prefix, digits, hasRest }: Omit<Alias, 'target'>): string =>
    [domain, prefix, digits, hasRest].join('\n');
  const inOrder = (): readonly Alias[] => [...table.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const byPreference = (a: Alias, b: Alias): number =>
    b.prefix.length - a.prefix.length || b.digits - a.digits || Number(a.hasRest) - Number(b.hasRest);
  return {
    put: (alias) => run(() => void table.set(keyOf(alias), alias)),
    remove: (key) => run(() => table.delete(keyOf(key))),
    page: (limit, after) =>
      run(() =>
        inOrder()
          .filter((one) => after === undefined || keyOf(one) > keyOf(after))
          .slice(0, limit),
      ),
    best: (username, domain) =>
      [...table.values()]
        .filter((one) => one.domain === domain && standsFor(one, username) !== undefined)
        .sort(byPreference)[0],
  };
}
