/** An identity server for tests: keys, their JWKS, and tokens that it signs, or that only look as if it had. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { Scope } from './process.ts';

export const ISSUER = 'https://id.example.com/';
export const AUDIENCE = 'sip.example.com';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  /** As it stands in a JWKS. */
  readonly shown: JWK;
}

/** `kid` may be left out: a token need not name its key. */
type Signer = Pick<SigningKey, 'alg' | 'privateKey'> & { readonly kid: string | undefined };

export async function signingKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, shown: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export function jwks(...keys: readonly SigningKey[]): string {
  return JSON.stringify({ keys: keys.map(({ shown }) => shown) });
}

/** Alice's, from now on for ten minutes, with what `claims` change; `undefined` leaves a claim out. */
export function signed(by: Signer, nowMs: number, claims: JWTPayload = {}): Promise<string> {
  const nowSeconds = Math.floor(nowMs / 1000);
  const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', iat: nowSeconds, exp: nowSeconds + 600 };
  const header = by.kid === undefined ? { alg: by.alg } : { alg: by.alg, kid: by.kid };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader(header).sign(by.privateKey);
}

/** Not signed by anybody: header and claims as they are given. */
export function forged(header: object, claims: object, signature = ''): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}

export interface IdentityServer {
  readonly url: string;
  /** How often its keys were asked for. */
  readonly asked: number;
  /** What it answers from now on. */
  answer: { readonly status: number; readonly body: string; readonly location?: string };
}

/** Shows its keys over HTTP on loopback. */
export async function openIdentityServer(scope: Scope, ...keys: readonly SigningKey[]): Promise<IdentityServer> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    const { status, body, location } = identity.answer;
    response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) }).end(body);
  });
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const isAddress = (bound: AddressInfo | string | null): bound is AddressInfo =>
    typeof bound === 'object' && bound !== null;
  const bound = server.address();
  const identity: IdentityServer = {
    url: `http://127.0.0.1:${isAddress(bound) ? bound.port : 0}/jwks.json`,
    get asked() {
      return asked;
    },
    answer: { status: 200, body: jwks(...keys) },
  };
  return identity;
}
