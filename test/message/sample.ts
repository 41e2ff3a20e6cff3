/** Messages for the tests of this folder. */
import assert from 'node:assert/strict';
import type { SipMessage, SipRequest, SipResponse } from '../../src/message/message.ts';
import { parseMessage, type Unparsable } from '../../src/message/scan.ts';

/** Header lines that a request needs; the name in front says which one a test replaces. */
const basic = {
  via: 'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
  maxForwards: 'Max-Forwards: 70',
  from: 'From: "Alice" <sip:alice@example.com>;tag=a1',
  to: 'To: <sip:bob@example.com>',
  callId: 'Call-ID: c1@192.0.2.1',
  cseq: 'CSeq: 1 INVITE',
} as const;

export type Lines = { readonly [name in keyof typeof basic]?: string | undefined };

interface Parts {
  readonly start?: string;
  /** Replaces lines of the basic message; `undefined` leaves one out. */
  readonly lines?: Lines;
  /** Further lines at the end. */
  readonly extra?: readonly string[];
  readonly body?: string;
}

/** An INVITE as text. */
export function inviteText({
  start = 'INVITE sip:bob@example.com SIP/2.0',
  lines = {},
  extra = [],
  body = '',
}: Parts = {}): string {
  const headers = Object.values({ ...basic, ...lines }).filter((line) => line !== undefined);
  return [start, ...headers, ...extra, '', body].join('\r\n');
}

export function parse(text: string): SipMessage {
  const message = parseMessage(text);
  if (message.kind === 'unparsable') assert.fail(`${message.error}\n${text}`);
  return message;
}

export function request(text: string = inviteText()): SipRequest {
  const message = parse(text);
  if (message.kind !== 'request') assert.fail('not a request');
  return message;
}

export function response(text: string): SipResponse {
  const message = parse(text);
  if (message.kind !== 'response') assert.fail('not a response');
  return message;
}

export function refused(text: string): Unparsable {
  const message = parseMessage(text);
  if (message.kind !== 'unparsable') assert.fail(`should have been refused\n${text}`);
  return message;
}

export const raws = (message: SipMessage): readonly string[] => message.headers.map((line) => line.raw);
