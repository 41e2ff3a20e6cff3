/**
 * What a route sees, made by hand: a request, and a `Proxy` (engine/api.ts) that says what the test wants and notes what
 * it was asked. A route's test is an input and a verdict; there is no engine behind it.
 */
import assert from 'node:assert/strict';
import type {
  Branch,
  CallSettings,
  Proxy,
  Relay,
  Reply,
  Request,
  Target,
  User,
  Verdict,
} from '../../src/engine/api.ts';
import { createRequest, createResponse, type Field } from '../../src/message/build.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import { canonicalAor, parseUri } from '../../src/message/uri.ts';
import type { Flow, Listener, MediaKind, Transport } from '../../src/ports.ts';

export interface RequestParts {
  readonly method?: string;
  readonly uri?: string;
  /** The URI in From; '' for a From that cannot be read. */
  readonly from?: string;
  readonly to?: string;
  readonly fromTag?: string;
  /** With one, the request is of a dialog. */
  readonly toTag?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly headers?: readonly Field[];
  readonly route?: readonly string[];
  readonly trusted?: boolean;
  readonly token?: string;
  readonly user?: User;
  readonly media?: MediaKind;
  readonly flow?: Flow;
  readonly reachByFlow?: boolean;
}

export function listenerOf(transport: Transport = 'udp', index = 0, address = '192.0.2.100', port = 5060): Listener {
  const host = address.includes(':') ? `[${address}]` : address;
  const local = { address, port };
  return { index, entry: `${transport}:${host}:${port}`, transport, local, advertised: { host, port } };
}

/** One client's flow. */
export function flowOf(transport: Transport = 'udp', address = '192.0.2.1', port = 5060): Flow {
  const id = transport === 'udp' ? `u0:${address}:${port}` : `c00b007-${port}`;
  return { id, transport, listener: listenerOf(transport), remote: { address, port }, inbound: transport !== 'udp' };
}

/** An INVITE from alice to bob, both of example.com, with what `parts` change. */
export function requestOf(parts: RequestParts = {}): Request {
  const { flow = flowOf(), trusted = false, token, user, media = 'rtp', reachByFlow = false } = parts;
  return {
    message: messageOf(parts, flow),
    flow,
    trusted,
    inDialog: parts.toTag !== undefined,
    token,
    media,
    loopHash: '0123456789abcdef',
    notes: { reachByFlow, user },
  };
}

function messageOf(parts: RequestParts, { transport, remote }: Flow): SipRequest {
  const { method = 'INVITE', uri = 'sip:bob@example.com', from = 'sip:alice@example.com', to = uri } = parts;
  const { fromTag = 'alice-tag', toTag, callId = 'call-1', cseq = 1, headers = [], route = [] } = parts;
  const host = remote.address.includes(':') ? `[${remote.address}]` : remote.address;
  return createRequest({
    method,
    uri,
    via: { transport: transport.toUpperCase(), host, port: remote.port, params: [['branch', 'z9hG4bK1']] },
    from: from === '' ? '<' : `<${from}>;tag=${fromTag}`,
    to: `<${to}>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    callId,
    cseq,
    route,
    headers,
  });
}

export const bob: Target = { uri: 'sip:bob@192.0.2.2:5060' };

export function branchOf(request: Request = requestOf(), target: Target = bob): Branch {
  const flow = flowOf('udp', '192.0.2.2');
  return { id: 'z9hG4bK2', request, target, flow, message: request.message };
}

export function responseOf(status: number, request: SipRequest = requestOf().message): SipResponse {
  return createResponse(request, status, { toTag: 'bob-tag' });
}

/** What the services say; each has the answer of a proxy where everything is in order and nobody is registered. */
export interface Answers {
  readonly acceptForeign: boolean;
  readonly recordsAll: boolean;
  readonly isTrickle: boolean;
  /** What another node wants it sent over. */
  readonly flowFor: { readonly flowId: string; readonly isOpen: boolean } | undefined;
  /** Hosts of our domains. */
  readonly ours: readonly string[];
  readonly check: Verdict | undefined;
  readonly mustUseFlow: boolean;
  readonly admitsForeign: boolean;
  readonly login: User | Reply | Error;
  readonly identity: Reply | undefined;
  readonly known: boolean;
  /** By URI; of everybody else: nothing is wanted, if there is an account. */
  readonly calls: Readonly<Record<string, Partial<CallSettings>>>;
  readonly registered: Reply;
  readonly presence: Reply;
  readonly stored: Reply;
  readonly admitsCaller: boolean;
  readonly admitsCallee: boolean;
  readonly targets: readonly Target[] | Error;
  readonly follow: Target | Reply | undefined;
  readonly replaced: Target | Reply | undefined;
  readonly forwarded: SipRequest | Error;
  readonly backward: SipResponse | Error;
}

export type Service =
  | 'check'
  | 'mustUseFlow'
  | 'login'
  | 'admitsForeign'
  | 'identity'
  | 'exists'
  | 'calls'
  | 'admitsCaller'
  | 'admitsCallee'
  | 'register'
  | 'subscribe'
  | 'resubscribe'
  | 'publish'
  | 'store'
  | 'lookup'
  | 'follow'
  | 'replaced'
  | 'forward'
  | 'backward'
  | 'record';

export interface FakeProxy extends Proxy {
  /** In the order of the questions; those about domains left out. */
  readonly asked: readonly Service[];
}

export const alice: User = { username: 'alice', domain: 'example.com' };

export const ringsOnly: CallSettings = {
  doNotDisturb: false,
  ringSeconds: undefined,
  mostCalls: undefined,
  forwardAlways: undefined,
  forwardBusy: undefined,
  forwardNoAnswer: undefined,
  voicemail: undefined,
};

const everythingInOrder: Answers = {
  acceptForeign: false,
  recordsAll: false,
  isTrickle: false,
  flowFor: undefined,
  ours: ['example.com'],
  check: undefined,
  mustUseFlow: false,
  admitsForeign: true,
  login: alice,
  identity: undefined,
  known: false,
  calls: {},
  registered: { kind: 'reply', status: 200 },
  presence: { kind: 'reply', status: 200 },
  stored: { kind: 'reply', status: 202 },
  admitsCaller: true,
  admitsCallee: true,
  targets: [],
  follow: undefined,
  replaced: undefined,
  forwarded: requestOf().message,
  backward: responseOf(200),
};

export function createFakeProxy(answers: Partial<Answers> = {}): FakeProxy {
  const say: Answers = { ...everythingInOrder, ...answers };
  const asked: Service[] = [];
  const tell = <T>(service: Service, answer: T): T => {
    asked.push(service);
    return answer;
  };
  const later = async <T>(service: Service, answer: T | Error): Promise<T> => {
    asked.push(service);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const isOurs = (text: string): boolean => say.ours.includes(parseUri(text)?.host ?? '');
  return {
    asked,
    acceptForeign: say.acceptForeign,
    recordsAll: say.recordsAll,
    nowMs: () => 0,
    check: () => tell('check', say.check),
    nodes: { areMany: false, flowFor: () => say.flowFor },
    nat: { mustUseFlow: () => tell('mustUseFlow', say.mustUseFlow) },
    domains: {
      isOurs,
      isServer: (text) => isOurs(text) && parseUri(text)?.user === undefined,
      accountOf: (text) => (isOurs(text) ? canonicalAor(parseUri(text) ?? assert.fail(text)) : undefined),
    },
    auth: {
      login: (_, meanwhile) => {
        const answer = later('login', say.login);
        if (!(say.login instanceof Error) && !('kind' in say.login)) meanwhile();
        return answer;
      },
      identity: () => tell('identity', say.identity),
      admitsForeign: () => tell('admitsForeign', say.admitsForeign),
    },
    subscribers: {
      exists: () => later('exists', say.known),
      calls: (uri) => {
        const wanted = say.calls[uri] ?? (say.known ? {} : undefined);
        return later('calls', wanted && { ...ringsOnly, ...wanted });
      },
    },
    calls: {
      admitsCaller: () => tell('admitsCaller', say.admitsCaller),
      admitsCallee: () => tell('admitsCallee', say.admitsCallee),
    },
    registrar: { register: () => later('register', say.registered) },
    location: {
      lookup: () => later('lookup', say.targets),
      deviceKind: (uri) => (/;gr=/.test(uri) ? 'public' : uri.endsWith(';gr') ? 'temporary' : undefined),
    },
    presence: {
      subscribe: () => later('subscribe', say.presence),
      resubscribe: () => later('resubscribe', say.presence),
      publish: () => later('publish', say.presence),
    },
    messages: { store: () => later('store', say.stored) },
    dialogs: {
      follow: () => later('follow', say.follow),
      replaced: () => later('replaced', say.replaced),
    },
    media: {
      forward: () => later('forward', say.forwarded),
      backward: () => later('backward', say.backward),
      trickle: () => say.isTrickle,
      record: () => tell('record', undefined),
    },
  };
}

/** A verdict in a few words: `reply 403 no-relay`, `relay sip:bob@192.0.2.2`, `drop no-dialog`, `not mine`. */
export function inWords(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'not mine';
  if (verdict.kind === 'drop') return `drop ${verdict.code}`;
  if (verdict.kind === 'relay') return `relay ${targetsOf(verdict)}`;
  return verdict.code === undefined ? `reply ${verdict.status}` : `reply ${verdict.status} ${verdict.code}`;
}

const targetsOf = ({ targets }: Relay): string => targets.map(({ uri }) => uri).join(' ');
