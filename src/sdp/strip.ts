/**
 * Taking lines out of an SDP, all others staying byte for byte.
 *
 * `stripSsrc`: a transcoding relay sends under an SSRC of its own but passes the telephone's `a=ssrc` (RFC 5576) on, and
 * a browser then plays nothing. `keepTelephoneEvent8000`: two telephone-events (RFC 4733) confuse telephones.
 * `stripBrowserLines`: what rtpengine passes on though no telephone reads it. `stripKeys`: keys that answer none. Left out:
 * everything that rtpengine does itself.
 */

import { hasLine, linesOf, sections } from './lines.ts';

/** Without `a=ssrc` and `a=ssrc-group` lines. */
export function stripSsrc(body: string): string {
  return hasLine(body, 'a=ssrc')
    ? linesOf(body)
        .filter((line) => !/^a=ssrc(?:-group)?:/.test(line))
        .join('')
    : body;
}

/**
 * Without `a=crypto` lines beside plain RTP. RFC 4568 §5.1.2: an answer has one only to an offer with one; baresip always
 * has. A medium of RTP/SAVP is nothing without its own.
 */
export function stripKeys(body: string): string {
  return hasLine(body, 'a=crypto:') ? sections(body).map(withoutKeys).join('') : body;
}

function withoutKeys(section: string): string {
  if (/^m=\S+ +\S+ +RTP\/SAVP/i.test(section)) return section;
  return linesOf(section)
    .filter((line) => !line.startsWith('a=crypto:'))
    .join('');
}

/** RFC 8829, 8285, 5888: what browsers tell each other. A plain or SDES telephone has no use for any of it. */
const browserOnly =
  /(?<=^|\n)a=(?:extmap(?:-allow-mixed)?|msid(?:-semantic)?|ssrc(?:-group)?|rtcp-fb:\S+ (?:transport-cc|goog-remb)|rtcp-rsize|mid|group|rid|simulcast|ice-options)(?=[: \r\n]|$)[^\n]*(?:\n|$)/g;

/** Without what only browsers read: an INVITE that fits into one datagram reaches more telephones (RFC 3261 §18.1.1). */
export function stripBrowserLines(body: string): string {
  return body.replace(browserOnly, '');
}

/**
 * Leaves one telephone-event/8000 in each medium that offers one: other telephone-events go from its `m=` line, with
 * their `a=rtpmap`, `a=fmtp` and `a=rtcp-fb`. A medium without telephone-event/8000 keeps what it has.
 */
export function keepTelephoneEvent8000(body: string): string {
  // One alone is left alone.
  const isOne = body.indexOf('telephone-event') === body.lastIndexOf('telephone-event');
  return isOne ? body : sections(body).map(cleanSection).join('');
}

function cleanSection(section: string): string {
  const lines = linesOf(section);
  const events = lines.flatMap(telephoneEvent);
  const kept = events.find((event) => event.rate === '8000');
  if (kept === undefined || events.length === 1) return section;
  return stripFormats(section, new Set(events.map(({ payload }) => payload).filter((one) => one !== kept.payload)));
}

/** A medium without these formats, and what is said of them. */
export function stripFormats(medium: string, formats: ReadonlySet<string>): string {
  return linesOf(medium)
    .map((line) => withoutPayloads(line, formats))
    .join('');
}

function telephoneEvent(line: string): readonly { readonly payload: string; readonly rate: string }[] {
  const [, payload, rate] = /^a=rtpmap:([0-9]+) +telephone-event\/([0-9]+)/i.exec(line) ?? [];
  return payload === undefined || rate === undefined ? [] : [{ payload, rate }];
}

function withoutPayloads(line: string, surplus: ReadonlySet<string>): string {
  if (line.startsWith('m=')) return withoutFormats(line, surplus);
  const payload = /^a=(?:rtpmap|fmtp|rtcp-fb):([0-9]+)[ \r\n]/.exec(line)?.[1];
  return payload !== undefined && surplus.has(payload) ? '' : line;
}

/** `m=audio 4000 RTP/AVP 0 101 102`: the formats begin behind the third blank. */
function withoutFormats(line: string, surplus: ReadonlySet<string>): string {
  const [, head = '', formats = '', end = ''] = /^(m=\S+ +\S+ +\S+)(.*?)([\r\n]*)$/.exec(line) ?? [];
  if (head === '') return line;
  return head + formats.replace(/ ([0-9]+)/g, (all, payload: string) => (surplus.has(payload) ? '' : all)) + end;
}
