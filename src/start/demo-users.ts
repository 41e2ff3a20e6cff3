/**
 * Accounts to try (DESIGN §6 DEMO_USERS): those that the setting names, or two of our own on a first try on loopback.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isLoopback, type Settings } from '../config.ts';
import { kept } from './identity.ts';

export interface DemoUser {
  readonly username: string;
  readonly password: string;
}

interface Accounts {
  add(username: string, domain: string, password: string): Promise<boolean>;
  setPassword(username: string, domain: string, password: string): Promise<boolean>;
}

/** Empty where nobody should get an account by itself. */
export function demoUsers(settings: Settings): readonly DemoUser[] {
  if (settings.demoUsers !== undefined) return settings.demoUsers;
  const onlyLoopback = [...settings.listen, settings.http].every(({ host }) => isLoopback(host));
  if (!onlyLoopback || settings.databaseUrl !== undefined) return [];
  // The database keeps no password, and the next start prints the same ones.
  return ['alice', 'bob'].map((username) => ({
    username,
    password: kept(join(settings.dataDir, `demo-password-${username}`), () => randomBytes(6).toString('base64url')),
  }));
}

/** `insist`: the setting names them, so its passwords hold; those of our own making may have been changed since. */
export async function createDemoUsers(
  users: readonly DemoUser[],
  domain: string,
  accounts: Accounts,
  insist: boolean,
): Promise<void> {
  for (const { username, password } of users) {
    const added = await accounts.add(username, domain, password);
    if (!added && insist) await accounts.setPassword(username, domain, password);
  }
}
