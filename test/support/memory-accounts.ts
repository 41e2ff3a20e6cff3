/** The table of accounts in memory, for `memory-stores.ts`. */
import { ha1 } from '../../src/auth/digest.ts';
import type { Account, CallSettings, Clock, Subscriber, SubscriberAccounts } from '../../src/ports.ts';
import { ringsOnly } from './fake-proxy.ts';
import type { Run } from './memory-presence.ts';

interface AccountRow {
  readonly account: Account;
  readonly subscriber: Subscriber;
}

export interface MemoryAccounts {
  readonly store: SubscriberAccounts;
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
  const store: SubscriberAccounts = {
    find: (username, domain) =>
      run(() => {
        const found = row(username, domain);
        return found?.account.disabled === false ? found.subscriber : undefined;
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
  return { store, put, setCalls };
}
