/**
 * Who this node is, kept in DATA_DIR: its name, which tokens and bindings carry, and the secret that signs them.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { makeFolder } from './data-dir.ts';

export interface Identity {
  /** The same at every start with this DATA_DIR. */
  readonly node: string;
  /** Another one at every start: six hex digits. */
  readonly boot: string;
  /** The first signs, all verify. */
  readonly secrets: readonly string[];
}

/** `given`: TOKEN_SECRET; without it one is made at the first start. */
export function loadIdentity(dataDir: string, given: readonly string[]): Identity {
  try {
    return identityIn(dataDir, given);
  } catch (thrown) {
    throw new Failure('data-dir', thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function identityIn(dataDir: string, given: readonly string[]): Identity {
  makeFolder(dataDir);
  const node = kept(join(dataDir, 'node-id'), () => `n${randomBytes(4).toString('hex')}`);
  const secrets =
    given.length > 0 ? given : [kept(join(dataDir, 'token-secret'), () => randomBytes(32).toString('hex'))];
  return { node, boot: randomBytes(3).toString('hex'), secrets };
}

/** What the file says, or a new value that it will say from now on. */
export function kept(path: string, make: () => string): string {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text !== '') return text;
  } catch {
    // The first start: there is no such file yet.
  }
  const value = make();
  writeFileSync(path, `${value}\n`, { mode: 0o600 });
  return value;
}
