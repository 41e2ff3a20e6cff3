/** The keys of the identity server whose tokens browsers log in with (JWT_KEYS). */
import type { Finding } from '../engine/operations.ts';
import { finding } from './finding.ts';

export interface TokensChecked {
  /** `undefined`: no tokens are taken. */
  readonly tokens?: { keys(): { readonly known: number; readonly failed: string | undefined } } | undefined;
}

export function tokenFindings({ tokens }: TokensChecked): readonly Finding[] {
  if (tokens === undefined) return [];
  const { known, failed } = tokens.keys();
  const keys = `${known} ${known === 1 ? 'key' : 'keys'}`;
  if (failed === undefined) return [finding('tokens', 'ok', `JWT_KEYS has ${keys} for the tokens of browsers.`, '')];
  const says = `JWT_KEYS cannot be read: ${failed}.`;
  return known === 0
    ? [finding('tokens', 'error', says, 'Nobody logs in by a token until this host can reach it.')]
    : [finding('tokens', 'warning', says, `The ${keys} of before still count; tokens by a new one are refused.`)];
}
