/**
 * Aliases and dial rules: a pattern of called names, and what such a name stands for.
 *
 *     alice.smith   alice           one name
 *     +4930123??    alice           a prefix and two digits
 *     0049*         +49*            a prefix and any digits, which the * of the target stands for
 *
 * No regular expressions: a rule is found by its prefix in an index, and none can be slow. Left out: finding it (the
 * store), and whether its caller may be sent there (routes/location.ts).
 */
import { escapeUser, parseUri } from '../message/uri.ts';
import type { Alias } from '../ports.ts';

type Pattern = Pick<Alias, 'prefix' | 'digits' | 'hasRest'>;

const longestPrefix = 64;
const mostDigits = 32;

/** `undefined`: it is none. Text as in SIP, without escapes. */
export function parsePattern(text: string): Pattern | undefined {
  const [, prefix = '', digits = '', rest = ''] = /^(.*?)(\?*)(\*?)$/s.exec(text) ?? [];
  const isSound = prefix.length <= longestPrefix && digits.length <= mostDigits && /^[^\0-\x20\x7f@<>"]*$/.test(text);
  return isSound && text !== '' ? { prefix, digits: digits.length, hasRest: rest === '*' } : undefined;
}

export function printPattern({ prefix, digits, hasRest }: Pattern): string {
  return `${prefix}${'?'.repeat(digits)}${hasRest ? '*' : ''}`;
}

/** Whether a rule may point there: a name, or a SIP URI. */
export function isTarget(text: string): boolean {
  if (text.length > 255 || /[\0-\x20\x7f<>"]/.test(text)) return false;
  return isUri(text) ? parseUri(filled(text, '1')) !== undefined : text !== '' && !text.includes('@');
}

/** The SIP URI that this name stands for by the rule; `undefined`: the name is not of its pattern. */
export function standsFor(rule: Alias, username: string): string | undefined {
  const behind = username.slice(rule.prefix.length);
  if (!username.startsWith(rule.prefix) || !/^[0-9]*$/.test(behind)) return undefined;
  const { digits, hasRest } = rule;
  if (hasRest ? behind.length <= digits : behind.length !== digits) return undefined;
  const target = digits > 0 || hasRest ? filled(rule.target, behind) : rule.target;
  const uri = isUri(target) ? target : `sip:${escapeUser(target)}@${rule.domain}`;
  return parseUri(uri) === undefined ? undefined : uri;
}

const isUri = (text: string): boolean => /^sips?:/i.test(text);

const filled = (target: string, digits: string): string => target.replaceAll('*', digits);
