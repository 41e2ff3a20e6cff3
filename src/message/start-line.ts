/**
 * Request-Line and Status-Line (RFC 3261 §7.1, §7.2). Elements are separated by exactly one SP.
 *
 * A line that is wrong still says what can be known of it, so that a request can be answered (RFC 4475 §3.1.2).
 * Left out: whether the Request-URI is one we route.
 */
import { equalsIgnoreCase } from './ascii.ts';
import { isUri, TOKEN } from './grammar.ts';

/** Why a message cannot be used, with the status that a request would be answered with. */
export interface Fault {
  readonly error: string;
  /** Where the rule stands. */
  readonly section: string;
  readonly status: number;
}

export type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string; readonly fault: Fault | undefined }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string }
  | { readonly kind: 'neither'; readonly fault: Fault };

const statusLine = /^SIP\/2\.0 ([1-6][0-9]{2})(?: (.*))?$/i;
// Loose on purpose: what looks like a request from afar is judged afterwards, and answered.
const requestLine = new RegExp(`^(${TOKEN}) (.*?) (SIP/[0-9]+\\.[0-9]+)[ \\t]*$`, 'is');

export function parseStartLine(line: string): StartLine {
  // RFC 3261 §7.2: the reason phrase may be empty; its SP is missing from some senders.
  const [, status, reason = ''] = statusLine.exec(line) ?? [];
  if (status !== undefined) return { kind: 'response', status: Number(status), reason };
  const [, method, uri = '', version = ''] = requestLine.exec(line) ?? [];
  if (method === undefined) return { kind: 'neither', fault: fault('neither a Request-Line nor a Status-Line') };
  return { kind: 'request', method, uri, fault: requestFault(line, uri, version) };
}

function requestFault(line: string, uri: string, version: string): Fault | undefined {
  if (!equalsIgnoreCase(version, 'SIP/2.0'))
    return { error: `the version ${version} is not SIP/2.0`, section: '§21.5.6', status: 505 };
  if (!line.endsWith(version)) return fault('blanks after the SIP version');
  return isUri(uri) ? undefined : fault('the Request-URI is not a URI, or not alone between two blanks');
}

const fault = (error: string): Fault => ({ error, section: '§7.1', status: 400 });
