/** JSON Web Tokens (RFC 7519) that the operator's own identity server signs: a login without a password of ours. */

export interface TokenVerifier {
  /** Who signs them, and so where a client gets another one. */
  readonly issuer: string;
  /** What it is worth now; never rejects. */
  verify(token: string): Promise<VerifiedToken | RefusedToken>;
}

export interface VerifiedToken {
  /** The account that it names: `alice@example.com`, or `alice` of the first domain; in Unicode. */
  readonly account: string;
  /** Until then it would be taken again: its `exp` and the difference of clocks that we allow. */
  readonly untilMs: number;
}

/** Rows of `errors.ts`. */
export type TokenFault =
  | 'token-malformed'
  | 'token-algorithm'
  | 'token-key'
  | 'token-signature'
  | 'token-issuer'
  | 'token-audience'
  | 'token-early'
  | 'token-expired'
  | 'token-claim'
  | 'token-keys-missing';

export interface RefusedToken {
  readonly fault: TokenFault;
  /** What is wrong with this one; nothing of its text that would let somebody in. */
  readonly detail: string;
}
