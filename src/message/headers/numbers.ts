/**
 * Headers that are one number: Max-Forwards (RFC 3261 §20.22), Max-Breadth (RFC 5393 §5.8), Content-Length (§20.14),
 * Expires (§20.19), Min-Expires (§20.23) and Retry-After (§20.33, whose comment and duration are not read).
 */
import { defineHeader, type Header } from '../header.ts';

const DELTA_SECONDS_MAX = 2 ** 32 - 1;

function numberHeader(name: string, max: number, syntax = /^([0-9]{1,16})$/): Header<number> {
  const parse = (text: string): number | undefined => {
    const digits = syntax.exec(text)?.[1];
    const number = Number(digits);
    return digits === undefined || number > max ? undefined : number;
  };
  return defineHeader({ name, list: false, parse, print: String });
}

export const MaxForwards = numberHeader('Max-Forwards', 255);
export const MaxBreadth = numberHeader('Max-Breadth', DELTA_SECONDS_MAX);
export const ContentLength = numberHeader('Content-Length', DELTA_SECONDS_MAX);
export const Expires = numberHeader('Expires', DELTA_SECONDS_MAX);
export const MinExpires = numberHeader('Min-Expires', DELTA_SECONDS_MAX);
export const RetryAfter = numberHeader('Retry-After', DELTA_SECONDS_MAX, /^([0-9]{1,16})(?:[ \t]*[(;].*)?$/);
