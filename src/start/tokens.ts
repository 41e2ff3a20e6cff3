/** Tokens of the identity server that the settings name. */
import { isUrl, readKeyText } from '../adapters/jwt/key-text.ts';
import { Keys, type KeysState } from '../adapters/jwt/keys.ts';
import { createVerifier } from '../adapters/jwt/verifier.ts';
import { systemClock } from '../adapters/system.ts';
import type { Settings } from '../config.ts';
import { Failure } from '../errors.ts';
import type { Log, TokenVerifier } from '../ports.ts';
import type { Shutdown } from './shutdown.ts';

export interface OpenTokens extends TokenVerifier {
  keys(): KeysState;
}

/** `undefined`: nobody logs in by a token. */
export async function openTokens(settings: Settings, log: Log, shutdown: Shutdown): Promise<OpenTokens | undefined> {
  const { jwtKeys: from, jwtIssuer: issuer, jwtAudiences: audiences, jwtClaim: claim } = settings;
  if (from === undefined || issuer === undefined) return undefined;
  const keys = new Keys({ read: () => readKeyText(from), clock: systemClock, log });
  shutdown.add('the keys of tokens', () => keys.close());
  await keys.start().catch((thrown: unknown) => {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    // A file that is wrong stays wrong; a server may be starting as well.
    if (!isUrl(from)) throw new Failure('setting-invalid', `JWT_KEYS="${from}": ${reason}; for example ${example}`);
    log.warn({ from, error: reason }, 'JWT_KEYS cannot be read yet: logins by token wait for it');
  });
  const verifier = createVerifier({ keys, issuer, audiences, claim, clock: systemClock });
  return { ...verifier, keys: () => keys.state };
}

const example = 'JWT_KEYS="https://id.example.com/.well-known/jwks.json", or a file that holds what it shows';
