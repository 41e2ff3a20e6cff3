/**
 * Who asks: the API token, for this tab only (sessionStorage), and whether REST wants one. A server on loopback
 * without API_TOKEN wants none.
 */
import { signal } from '@preact/signals';

export type Access =
  | { readonly at: 'open' }
  /** REST answered 401; `wrong`: to a token. */
  | { readonly at: 'locked'; readonly wrong: boolean }
  /** REST is not for this address at all. */
  | { readonly at: 'refused'; readonly why: string };

const KEY = 'viaduct.api-token';

export const access = signal<Access>({ at: 'open' });

export function token(): string | undefined {
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function signIn(given: string): void {
  sessionStorage.setItem(KEY, given);
  access.value = { at: 'open' };
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  access.value = { at: 'locked', wrong: false };
}

/** What a refused request says about us; the token `sent` with it is forgotten, unless there is a newer one already. */
export function refused(status: number, why: string, sent: string | undefined): void {
  if (status === 403) access.value = { at: 'refused', why };
  if (status !== 401 || token() !== sent) return;
  sessionStorage.removeItem(KEY);
  access.value = { at: 'locked', wrong: sent !== undefined };
}
