/**
 * A scripted user agent: it says what the script tells it and nothing by itself; no retransmission, no automatic ACK.
 *
 * `received` lets virtual time pass until the expected message is there. Messages are built by src/message, or are raw
 * text where a test wants them odd.
 */
import assert from 'node:assert/strict';
import {
  ackFor,
  cancelFor,
  createRequest,
  createResponse,
  type Field,
  type ResponseOptions,
} from '../../src/message/build.ts';
import { prepend, serialize } from '../../src/message/edit.ts';
import { all, get } from '../../src/message/header.ts';
import type { NameAddr } from '../../src/message/headers/address.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { From, To, tagOf } from '../../src/message/headers/from-to.ts';
import { RecordRoute } from '../../src/message/headers/route.ts';
import { type Via, Via as ViaHeader } from '../../src/message/headers/via.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import type { SocketAddress, Transport } from '../../src/ports.ts';
import type { VirtualClock } from './clock.ts';
import { labelOf } from './ladder.ts';
import { withCredentials } from './login.ts';
import type { Station, StationOptions, VirtualNetwork } from './network.ts';

export interface AgentOptions {
  readonly name: string;
  /** Default `sip:<name>@example.com`. */
  readonly aor?: string;
  readonly transport?: Transport;
  readonly address: string;
  readonly port?: number;
  readonly listener?: number;
  readonly dialable?: boolean;
  /** Behind a NAT: the address it believes to have. */
  readonly inside?: SocketAddress;
  /** Asks for rport (RFC 3581); default false. */
  readonly rport?: boolean;
  /** The Contact URI; default its own address, or a name under `.invalid` over WebSocket. */
  readonly contact?: string;
}

export interface RequestOptions {
  readonly to?: string;
  readonly callId?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly route?: readonly string[];
  readonly maxForwards?: number;
  readonly headers?: readonly Field[];
  /** Default true for INVITE, REGISTER, SUBSCRIBE and UPDATE. */
  readonly contact?: boolean;
  readonly body?: string;
  readonly contentType?: string;
}

export type RespondOptions = ResponseOptions & { readonly contact?: boolean };

export interface Party {
  readonly uri: string;
  readonly tag: string | undefined;
}

/** One side's view of a dialog (RFC 3261 §12). */
export interface AgentDialog {
  readonly callId: string;
  readonly local: Party;
  readonly remote: Party;
  readonly target: string;
  readonly route: readonly string[];
  cseq: number;
}

/** Virtual, or a real one that waits. */
export type AgentClock = Pick<VirtualClock, 'advance' | 'advanceUntil'>;

const withContact = new Set(['INVITE', 'REGISTER', 'SUBSCRIBE', 'UPDATE']);
const makesDialogs = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);
const defaultLimitMs = 5000;

export class Agent {
  readonly name: string;
  readonly aor: string;
  /** In what it sends from now on: the registrar may have given it another one (RFC 5627). */
  contact: string;
  readonly station: Station;
  /** Received and not asked for yet. */
  readonly inbox: SipMessage[] = [];
  readonly #clock: AgentClock;
  readonly #sentBy: Omit<Via, 'params'>;
  readonly #rport: boolean;
  readonly #begun = new WeakSet<SipRequest>();
  /** The dialogs of requests sent within one. */
  readonly #dialogs = new WeakMap<SipRequest, AgentDialog>();
  #count = 0;

  constructor(network: Pick<VirtualNetwork, 'station'>, clock: AgentClock, options: AgentOptions) {
    this.name = options.name;
    this.aor = options.aor ?? `sip:${options.name}@example.com`;
    this.#clock = clock;
    this.#rport = options.rport ?? false;
    this.#sentBy = sentByOf(options);
    this.contact = options.contact ?? contactOf(options.name, this.#sentBy);
    this.station = network.station(stationOf(options, (text) => this.#receive(text)));
  }

  send(message: SipMessage | string): void {
    this.station.send(typeof message === 'string' ? message : serialize(message));
  }

  /** Builds a request outside of dialogs, and sends it. */
  request(method: string, uri: string, options: RequestOptions = {}): SipRequest {
    const to = method === 'REGISTER' ? this.aor : uri;
    return this.#sendRequest(this.#build(method, uri, this.aor, { to, ...options }));
  }

  /** Repeats a refused request with credentials: next CSeq, new branch (RFC 3261 §22.2). */
  login(refused: SipRequest, challenge: SipResponse, username: string, password: string): SipRequest {
    return this.#sendRequest(withCredentials(refused, challenge, username, password, this.#via()));
  }

  respond(request: SipRequest, status: number, options: RespondOptions = {}): SipResponse {
    const makesDialog = status > 100 && status < 300 && withContact.has(request.method);
    const contacts = (options.contact ?? makesDialog) ? [this.#contactField()] : [];
    const headers = [...contacts, ...(options.headers ?? [])];
    const tag = status > 100 ? { toTag: `${this.name}-tag` } : {};
    const response = createResponse(request, status, { ...tag, recordRoute: makesDialog, ...options, headers });
    this.send(response);
    return response;
  }

  /** The ACK for a final response: to the Contact for a 2xx, in the INVITE's transaction else. */
  ack(invite: SipRequest, response: SipResponse, options: RequestOptions = {}): SipRequest {
    if (response.status >= 300) return this.#sendRequest(ackFor(invite, response));
    const dialog = this.#dialogs.get(invite) ?? this.dialog(invite, response);
    return this.#sendRequest(this.#inDialog(dialog, 'ACK', get(invite, CSeq)?.number ?? 1, options));
  }

  /** `reason`: the text of a Reason header. */
  cancel(invite: SipRequest, reason?: string): SipRequest {
    return this.#sendRequest(cancelFor(invite, reason));
  }

  /** Sends somebody's request on, as a proxy does: with a Via of its own on top. */
  forward(request: SipRequest): SipRequest {
    return this.#sendRequest(prepend(request, ViaHeader, this.#via()));
  }

  /** The dialog that this INVITE and 2xx (or 1xx) made, seen from here. */
  dialog(invite: SipRequest, response: SipResponse): AgentDialog {
    const isCaller = this.#begun.has(invite);
    const ends = [partyOf(get(response, From)), partyOf(get(response, To))] as const;
    const theirs = isCaller ? response : invite;
    const route = all(theirs, RecordRoute).map(({ uri }) => `<${uri}>`);
    return {
      callId: get(invite, CallId) ?? '',
      local: ends[isCaller ? 0 : 1],
      remote: ends[isCaller ? 1 : 0],
      target: get(theirs, Contact)?.uri ?? '',
      // RFC 3261 §12.1.1, §12.1.2: in order for the callee, reversed for the caller.
      route: isCaller ? route.reverse() : route,
      cseq: isCaller ? (get(invite, CSeq)?.number ?? 1) : 0,
    };
  }

  /** A request in the dialog with its next CSeq, sent. */
  within(dialog: AgentDialog, method: string, options: RequestOptions = {}): SipRequest {
    const request = this.#inDialog(dialog, method, ++dialog.cseq, options);
    this.#dialogs.set(request, dialog);
    return this.#sendRequest(request);
  }

  /** Waits for a request with this method. */
  receivesRequest(method: string, limitMs = defaultLimitMs): Promise<SipRequest> {
    const isIt = (message: SipMessage): message is SipRequest =>
      message.kind === 'request' && message.method === method;
    return this.#receives(method, isIt, limitMs);
  }

  /** Waits for a response with this status (to a request with this method). */
  receivesResponse(status: number, method?: string, limitMs = defaultLimitMs): Promise<SipResponse> {
    const isIt = (message: SipMessage): message is SipResponse =>
      message.kind === 'response' &&
      message.status === status &&
      (method === undefined || get(message, CSeq)?.method === method);
    return this.#receives(`${status} ${method ?? ''}`, isIt, limitMs);
  }

  /** Waits for any final response to a request with this method. */
  receivesFinal(method: string, limitMs = defaultLimitMs): Promise<SipResponse> {
    const isIt = (message: SipMessage): message is SipResponse =>
      message.kind === 'response' && message.status >= 200 && get(message, CSeq)?.method === method;
    return this.#receives(`a final response to ${method}`, isIt, limitMs);
  }

  /** Nothing came, and nothing comes within this time. */
  async receivesNothing(limitMs = defaultLimitMs): Promise<void> {
    await this.#clock.advance(limitMs);
    assert.deepEqual(
      this.inbox.map((one) => labelOf(serialize(one))),
      [],
      `${this.name} should have received nothing`,
    );
  }

  // --- inside ---

  #receive(text: string): void {
    const message = parseMessage(text);
    assert.ok(message.kind !== 'unparsable', `${this.name} cannot read: ${text}`);
    this.inbox.push(message);
  }

  async #receives<M extends SipMessage>(
    what: string,
    isIt: (message: SipMessage) => message is M,
    limitMs: number,
  ): Promise<M> {
    await this.#clock.advanceUntil(() => this.inbox.some(isIt), limitMs);
    const message = this.inbox.find(isIt);
    const others = this.inbox.map((one) => labelOf(serialize(one))).join(', ');
    assert.ok(message !== undefined, `${this.name} waits for ${what} and has ${others === '' ? 'nothing' : others}`);
    this.inbox.splice(this.inbox.indexOf(message), 1);
    return message;
  }

  #sendRequest(request: SipRequest): SipRequest {
    if (makesDialogs.has(request.method)) this.#begun.add(request);
    this.send(request);
    return request;
  }

  #inDialog(dialog: AgentDialog, method: string, cseq: number, options: RequestOptions): SipRequest {
    const { callId, local, remote, target, route } = dialog;
    const tags = {
      ...(local.tag === undefined ? {} : { fromTag: local.tag }),
      ...(remote.tag === undefined ? {} : { toTag: remote.tag }),
    };
    return this.#build(method, target, local.uri, { to: remote.uri, callId, cseq, route, ...tags, ...options });
  }

  #build(method: string, uri: string, from: string, options: RequestOptions): SipRequest {
    const { name } = this;
    const toTag = options.toTag === undefined ? '' : `;tag=${options.toTag}`;
    const contacts = (options.contact ?? withContact.has(method)) ? [this.#contactField()] : [];
    return createRequest({
      method,
      uri,
      via: this.#via(options.branch),
      from: `<${from}>;tag=${options.fromTag ?? `${name}-tag-${++this.#count}`}`,
      to: `<${options.to ?? uri}>${toTag}`,
      callId: options.callId ?? `${name}-call-${++this.#count}`,
      cseq: options.cseq ?? 1,
      maxForwards: options.maxForwards ?? 70,
      route: options.route ?? [],
      headers: [...contacts, ...(options.headers ?? [])],
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.contentType === undefined ? {} : { contentType: options.contentType }),
    });
  }

  #via(branch = `z9hG4bK-${this.name}-${++this.#count}`): Via {
    const rport = this.#rport ? [['rport', undefined] as const] : [];
    return { ...this.#sentBy, params: [...rport, ['branch', branch]] };
  }

  #contactField(): Field {
    return ['Contact', `<${this.contact}>`];
  }
}

function sentByOf({ name, transport = 'udp', address, port = 5060, inside }: AgentOptions): Omit<Via, 'params'> {
  // RFC 7118 §5: a browser does not know its address.
  if (transport === 'ws' || transport === 'wss') {
    return { transport: transport.toUpperCase(), host: `${name}.invalid`, port: undefined };
  }
  const believed = inside ?? { address, port };
  const host = believed.address.includes(':') ? `[${believed.address}]` : believed.address;
  return { transport: transport.toUpperCase(), host, port: believed.port };
}

function contactOf(name: string, { transport, host, port }: Omit<Via, 'params'>): string {
  const named = transport === 'WSS' ? 'ws' : transport.toLowerCase();
  return `sip:${name}@${host}${port === undefined ? '' : `:${port}`}${named === 'udp' ? '' : `;transport=${named}`}`;
}

function stationOf(options: AgentOptions, received: (text: string) => void): StationOptions {
  const { name, transport = 'udp', address, port = 5060, listener, dialable } = options;
  const extra = {
    ...(listener === undefined ? {} : { listener }),
    ...(dialable === undefined ? {} : { dialable }),
  };
  return { name, transport, address: { address, port }, received, ...extra };
}

function partyOf(address: NameAddr | undefined): Party {
  return { uri: address?.uri ?? '', tag: tagOf(address) };
}
