/**
 * Which addresses are ours (DESIGN §5 "Mine", RFC 3261 §16.4, §16.5).
 *
 * A domain name is ours with any port; an IP literal only with a port that we listen on, so that a Contact such as
 * `bob@127.0.0.1:34567` is somebody else's. Addresses are compared as numbers, in whatever spelling they come.
 */
import { canonicalAor, defaultPort, hostNameKey, parseUri, type SipUri } from '../message/uri.ts';
import { numericAddress } from '../nat/same-address.ts';
import type { Listener } from '../ports.ts';

interface Place {
  readonly host: string;
  readonly port: number;
}

export class Domains {
  #names: ReadonlySet<string>;
  #first: string | undefined;
  /** Where we listen, under the bound address and under the advertised one. */
  readonly #places: readonly Place[];

  /** `also`: where other nodes reach us (NODE_ADDRESS). */
  constructor(names: readonly string[], listeners: readonly Listener[], also?: Place) {
    this.#names = new Set(names.map(hostKey));
    this.#first = names[0];
    const node = also === undefined ? [] : [{ ...also, host: hostKey(also.host) }];
    this.#places = [...listeners.flatMap(placesOf), ...node];
  }

  /** From now on; the listeners stay. */
  replace(names: readonly string[]): void {
    this.#names = new Set(names.map(hostKey));
    this.#first = names[0];
  }

  isOurs(uri: SipUri): boolean {
    const host = hostKey(uri.host);
    return (this.#names.has(host) && this.#asDomain(uri)) || this.#asListener(uri, host);
  }

  /** Where an address without a domain belongs. */
  get first(): string {
    return this.#first ?? '';
  }

  /** The domain of an address: a telephone that calls us by a listening address means our first domain. */
  domainOf(uri: SipUri): string {
    const host = hostKey(uri.host);
    const isListener = !this.#names.has(host) && this.#asListener(uri, host);
    return hostNameKey((isListener ? this.#first : undefined) ?? uri.host);
  }

  /** The address-of-record (RFC 3261 §10.3 step 5). */
  aorOf(uri: SipUri): string {
    return canonicalAor({ ...uri, host: this.domainOf(uri) });
  }

  /** The address-of-record of a user of ours. */
  accountOf(text: string): string | undefined {
    const uri = parseUri(text);
    return uri?.user !== undefined && this.isOurs(uri) ? this.aorOf(uri) : undefined;
  }

  /** Whether it is the domain of our subscribers: what a digest realm says. */
  isDomain(host: string): boolean {
    return this.#names.has(hostKey(host));
  }

  /** As `isOurs`, for text. */
  isOursText(text: string): boolean {
    const uri = parseUri(text);
    return uri !== undefined && this.isOurs(uri);
  }

  #asDomain({ host, port }: SipUri): boolean {
    return port === undefined || !isNumeric(host) || this.#places.some((place) => place.port === port);
  }

  #asListener(uri: SipUri, host: string): boolean {
    // A name without a port says nothing about one: its DNS records do (RFC 3263 §4.2).
    const port = uri.port ?? (isNumeric(uri.host) ? defaultPort(uri) : undefined);
    return this.#places.some((place) => place.host === host && (port === undefined || place.port === port));
  }
}

function placesOf({ local, advertised }: Listener): readonly Place[] {
  const hosts = [hostKey(local.address), hostKey(advertised.host)];
  // Each with either port: behind a port forwarding both are seen.
  return hosts.flatMap((host) => [local.port, advertised.port].map((port) => ({ host, port })));
}

const hostKey = (host: string): string => numericAddress(host) ?? hostNameKey(host);

const isNumeric = (host: string): boolean => numericAddress(host) !== undefined;
