/**
 * The headers of event notification and publication: Event and Subscription-State (RFC 6665 §8.2), SIP-ETag and
 * SIP-If-Match (RFC 3903 §11.3), Accept (RFC 3261 §20.1, as far as it names media types).
 */
import { lower, trim } from '../ascii.ts';
import { isToken } from '../grammar.ts';
import { defineHeader, type Header } from '../header.ts';
import { type Params, parseParams, printParams } from '../params.ts';
import { textHeader } from './text.ts';

/** A value and its parameters: `presence;id=7`, `active;expires=60`. */
export interface WithParams {
  /** In lower case. */
  readonly name: string;
  readonly params: Params;
}

function valueHeader(name: string, isName: (text: string) => boolean, list = false): Header<WithParams> {
  return defineHeader({
    name,
    list,
    parse: (text) => {
      const semicolon = text.indexOf(';');
      const value = trim(semicolon < 0 ? text : text.slice(0, semicolon));
      const params = parseParams(semicolon < 0 ? '' : text.slice(semicolon));
      return params === undefined || !isName(value) ? undefined : { name: lower(value), params };
    },
    print: (value) => `${value.name}${printParams(value.params)}`,
  });
}

const isMediaRange = (text: string): boolean => /^[^\s/;,]+\/[^\s/;,]+$/.test(text);

export const Event = valueHeader('Event', isToken);
export const SubscriptionState = valueHeader('Subscription-State', isToken);
export const Accept = valueHeader('Accept', isMediaRange, true);
export const SipETag = textHeader('SIP-ETag');
export const SipIfMatch = textHeader('SIP-If-Match');
