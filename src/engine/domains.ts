/**
 * Which addresses are ours (DESIGN §5 "Mine", RFC 3261 §16.4, §16.5).
 *
 * A domain name is ours with any port; an IP literal only with a port that we listen on, so that a Contact such as
 * `bob@127.0.0.1:34567` is somebody else's.
 */
import { lower } from '../message/ascii.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import type { Listener } from '../ports.ts';
import { bracketed, namesListener } from '../proxy/record-route.ts';

export class Domains {
  readonly #names: ReadonlySet<string>;
  readonly #listeners: readonly Listener[];
  /** The first domain: where a bare user name belongs. */
  readonly first: string;

  constructor(names: readonly string[], listeners: readonly Listener[]) {
    this.#names = new Set(names.map((name) => bracketed(lower(name))));
    this.#listeners = listeners;
    this.first = names[0] ?? '';
  }

  isOurs(uri: SipUri): boolean {
    if (!this.#names.has(lower(uri.host))) return namesListener(uri, this.#listeners) && uri.port !== undefined;
    return uri.port === undefined || !isNumeric(uri.host) || this.#hasPort(uri.port);
  }

  /** As `isOurs`, for text. */
  isOursText(text: string): boolean {
    const uri = parseUri(text);
    return uri !== undefined && this.isOurs(uri);
  }

  #hasPort(port: number): boolean {
    return this.#listeners.some(({ local, advertised }) => local.port === port || advertised.port === port);
  }
}

/** IPv4 or bracketed IPv6. */
function isNumeric(host: string): boolean {
  return host.startsWith('[') || /^[0-9.]+$/.test(host);
}
