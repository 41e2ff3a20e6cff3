/**
 * What rtpengine made of an SDP (RFC 8866): the lines that went and came in each section, and in words what that means.
 *
 * Lines are compared as they are; their order within a section does not count.
 */
import { describeSdp } from '../sdp/describe.ts';
import { withoutKeys } from './credentials.ts';

export interface SectionChanges {
  /** `session`, `audio 1`, `video 2`. */
  readonly section: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

export interface SdpChanges {
  readonly sections: readonly SectionChanges[];
  readonly words: readonly string[];
}

export function sdpChanges(before: string, after: string): SdpChanges {
  // Keys always change, and are not for reading.
  const [old, now] = [sectionsOf(withoutKeys(before)), sectionsOf(withoutKeys(after))];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  const sections = names.map((name) => changesOf(name, old.get(name) ?? [], now.get(name) ?? []));
  return {
    sections: sections.filter(({ removed, added }) => removed.length + added.length > 0),
    words: words(before, after),
  };
}

function sectionsOf(sdp: string): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>([['session', []]]);
  let name = 'session';
  for (const line of sdp.split(/\r?\n/)) {
    if (line === '') continue;
    if (line.startsWith('m=')) name = `${/^m=(\S+)/.exec(line)?.[1] ?? 'medium'} ${sections.size}`;
    const lines = sections.get(name) ?? [];
    lines.push(line);
    sections.set(name, lines);
  }
  return sections;
}

function changesOf(section: string, old: readonly string[], now: readonly string[]): SectionChanges {
  return { section, removed: without(old, now), added: without(now, old) };
}

/** Each line counts as often as it stands. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function words(before: string, after: string): readonly string[] {
  const [old, now] = [sdpFacts(before), sdpFacts(after)];
  return [
    ...(old.protocol === now.protocol ? [] : [`transport ${now.protocol} instead of ${old.protocol}`]),
    ...(old.address === now.address && old.port === now.port
      ? []
      : [`media goes to ${now.address}:${now.port} instead of ${old.address}:${old.port}`]),
    ...switched(old.ice, now.ice, 'ICE'),
    ...switched(old.fingerprint, now.fingerprint, 'the DTLS fingerprint'),
    ...switched(old.crypto, now.crypto, 'SDES keys'),
    ...switched(old.mux, now.mux, 'rtcp-mux'),
    ...gone(old.codecs, now.codecs, 'codec'),
    ...gone(now.codecs, old.codecs, 'new codec'),
  ];
}

function switched(was: boolean, is: boolean, what: string): readonly string[] {
  if (was === is) return [];
  return [is ? `${what} put in` : `${what} taken out`];
}

function gone(from: readonly string[], others: readonly string[], what: string): readonly string[] {
  const names = from.filter((name) => !others.includes(name));
  if (names.length === 0) return [];
  return [what === 'codec' ? `without ${names.join(', ')}` : `with ${names.join(', ')}`];
}

/** What the verdicts and the words ask of an SDP. */
export interface SdpFacts {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly ice: boolean;
  readonly fingerprint: boolean;
  readonly crypto: boolean;
  readonly mux: boolean;
  /** `PCMU/8000`; static payload types by name. */
  readonly codecs: readonly string[];
  readonly candidates: readonly string[];
  /** By its direction, which is that of the session where the medium has none (RFC 8866 §6.7). */
  readonly sends: boolean;
  readonly receives: boolean;
}

const staticCodecs: Readonly<Record<string, string>> = {
  '0': 'PCMU/8000',
  '3': 'GSM/8000',
  '8': 'PCMA/8000',
  '9': 'G722/8000',
  '18': 'G729/8000',
};

/** Of the first medium and the session level. */
export function sdpFacts(sdp: string): SdpFacts {
  const second = sdp.indexOf('\nm=', sdp.indexOf('\nm=') + 1);
  const text = second < 0 ? sdp : sdp.slice(0, second + 1);
  const [, port = '0', protocol = '', formats = ''] = /^m=\S+ +(\d+)\S* +(\S+) +(.*?)\r?$/m.exec(text) ?? [];
  const has = (start: string): boolean => text.includes(`\na=${start}`);
  const direction = describeSdp(sdp)?.direction;
  return {
    protocol,
    port: Number(port),
    address: [...text.matchAll(/^c=IN IP[46] (\S+)/gm)].at(-1)?.[1] ?? '',
    ice: has('ice-ufrag:'),
    fingerprint: has('fingerprint:'),
    crypto: has('crypto:'),
    mux: has('rtcp-mux\r') || has('rtcp-mux\n'),
    codecs: formats.split(' ').flatMap((format) => codecOf(text, format)),
    sends: direction !== 'recvonly' && direction !== 'inactive',
    receives: direction !== 'sendonly' && direction !== 'inactive',
    candidates: [...text.matchAll(/^a=candidate:\S+ \S+ \S+ \S+ (\S+) \d+/gm)].map(([, address = '']) => address),
  };
}

function codecOf(text: string, format: string): readonly string[] {
  const named = new RegExp(`^a=rtpmap:${format.replace(/\W/g, '')} +([^\\s/]+/\\d+)`, 'm').exec(text)?.[1];
  const codec = named ?? staticCodecs[format];
  return codec === undefined ? [] : [codec];
}
