/**
 * Lists of tokens: the option tags of Require, Proxy-Require, Supported, Unsupported (RFC 3261 §20.32, §20.29, §20.37,
 * §20.40) and the methods of Allow (§20.5).
 */
import { isToken } from '../grammar.ts';
import { defineHeader, type Header } from '../header.ts';

const tokenList = (name: string): Header<string> =>
  defineHeader({
    name,
    list: true,
    parse: (value) => (isToken(value) ? value : undefined),
    print: (value) => value,
  });

export const Require = tokenList('Require');
export const ProxyRequire = tokenList('Proxy-Require');
export const Supported = tokenList('Supported');
export const Unsupported = tokenList('Unsupported');
export const Allow = tokenList('Allow');
