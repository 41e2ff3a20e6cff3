/**
 * The services that routes may ask (`Proxy` of api.ts), each put together from the part of the engine that does it.
 */
import { lower } from '../message/ascii.ts';
import { get } from '../message/header.ts';
import { Contact } from '../message/headers/contact.ts';
import { To } from '../message/headers/from-to.ts';
import { Via } from '../message/headers/via.ts';
import type { SipResponse } from '../message/message.ts';
import { decodeEscapes, parseUri } from '../message/uri.ts';
import { mustUseFlow } from '../nat/flow-rule.ts';
import type { CallSettings, Listener, Subscriber } from '../ports.ts';
import { standsFor } from '../proxy/dial-rule.ts';
import { validate } from '../proxy/validate.ts';
import { isSdp } from '../sdp/describe.ts';
import { isTrickle } from '../sdp/trickle.ts';
import { readable } from '../story/readable.ts';
import {
  type Branch,
  type BranchReply,
  type OtherName,
  type Proxy,
  type Reply,
  type Request,
  refuse,
  type Verdict,
} from './api.ts';
import type { Logins } from './auth/login.ts';
import type { Core } from './core.ts';
import { recordAnswered } from './media/media-control.ts';
import { hereOf } from './registrar/here.ts';

/** `core` is complete by the time a route runs; `proxy` itself is one of its parts. */
export function createServices(core: () => Core, logins: Logins): Proxy {
  // Listeners stay as they are while we run.
  let known: readonly string[] | undefined;
  const sentBys = (): readonly string[] => {
    known ??= core().ports.network.listeners.map(sentByOf);
    return known;
  };
  return {
    get recordsAll() {
      return core().options.recordsAll ?? false;
    },
    get acceptForeign() {
      return core().options.acceptForeign;
    },
    nowMs: () => core().ports.clock.nowMs(),
    check: (request) => check(core(), sentBys(), request),
    nat: { mustUseFlow: reachedByFlow },
    domains: {
      isOurs: (uri) => core().domains.isOursText(uri),
      isServer: (text) => {
        const uri = parseUri(text);
        return uri !== undefined && uri.user === undefined && core().domains.isOurs(uri);
      },
      accountOf: (uri) => core().domains.accountOf(uri),
    },
    auth: {
      login: async (request, meanwhile) => {
        const outcome = await logins.login(request, meanwhile);
        if (!('kind' in outcome)) core().sessions.used(outcome, request.flow);
        return outcome;
      },
      admitsForeign: (request) => core().foreign.allows(request.flow.remote.address, core().ports.clock.nowMs()),
      identity: (request, user) => logins.identity(request, user),
    },
    subscribers: {
      exists: async (uri) => (await account(core(), uri)) !== undefined,
      calls: (uri) => calls(core(), uri),
    },
    nodes: {
      get areMany() {
        return core().nodes.areMany;
      },
      flowFor: ({ hop }) =>
        hop?.purpose === 'over'
          ? { flowId: hop.flowId, isOpen: core().ports.network.find(hop.flowId) !== undefined }
          : undefined,
    },
    registrar: { register: (request) => register(core(), request) },
    calls: {
      admitsCaller: (request) => core().callLimits.admitsCaller(request),
      admitsCallee: (request, callee, most) => core().callLimits.admitsCallee(request, callee, most),
    },
    location: {
      lookup: async (text) => {
        const named = core().gruus.named(text);
        return named === undefined ? [] : core().registrar.targets(named, hereOf(core()));
      },
      deviceKind: (text) => {
        const gruu = core().gruus.read(text);
        if (gruu === undefined) return undefined;
        return gruu === 'invalid' || gruu.given !== undefined ? 'temporary' : 'public';
      },
    },
    presence: {
      subscribe: (request) => core().presence.subscribe(request),
      resubscribe: (request) => core().presence.resubscribe(request),
      publish: (request) => core().presence.publish(request),
    },
    messages: { store: (request) => core().messages.store(request) },
    dialogs: {
      follow: (request) => core().dialogs.follow(request),
      replaced: (request) => core().dialogs.replaced(request),
    },
    media: {
      // The node that has the dialog arranges its media.
      forward: async (branch) => (isOfOthers(branch) ? branch.message : core().media.forward(branch)),
      backward: (reply) => backward(core(), reply),
      trickle: ({ message }) => isTrickle(message) && core().media.trickle(message),
      record: ({ branch }) => {
        const call = core().media.find(branch.request.message);
        if (call !== undefined) recordAnswered(core(), call);
      },
    },
  };
}

async function account({ ports, gruus }: Core, text: string): Promise<Subscriber | undefined> {
  const uri = parseUri(gruus.named(text)?.aor ?? '');
  if (uri?.user === undefined) return undefined;
  return ports.subscribers.find(decodeEscapes(uri.user), uri.host);
}

async function calls({ ports, gruus }: Core, text: string): Promise<CallSettings | OtherName | undefined> {
  const named = gruus.named(text);
  const uri = parseUri(named?.aor ?? '');
  if (uri?.user === undefined) return undefined;
  const username = decodeEscapes(uri.user);
  const callee = await ports.subscribers.callee(username, uri.host);
  if (callee === undefined || 'calls' in callee) return callee?.calls;
  // A device is of an account; an alias has none.
  if (named?.gruu !== undefined) return undefined;
  const other = standsFor(callee, username);
  return other === undefined ? undefined : { standsFor: other };
}

/** As `isLoop` compares it with a Via. */
function sentByOf({ advertised: { host, port } }: Listener): string {
  return `${lower(host)}:${port}`;
}

/** Another node of ours sent it here for its flow, or has its dialog. */
function isOfOthers({ request, target }: Pick<Branch, 'request' | 'target'>): boolean {
  return request.hop?.purpose === 'over' || target.owner !== undefined;
}

async function backward({ media, mediaWatch }: Core, reply: BranchReply): Promise<SipResponse> {
  const { branch, response } = reply;
  if (isOfOthers(branch)) return response;
  const arranged = await media.backward(reply);
  if (branch.request.inDialog && response.status < 300 && isSdp(response)) {
    mediaWatch.renegotiated(response);
  }
  return arranged;
}

async function register({ registrar, happenings }: Core, request: Request): Promise<Reply> {
  const answer = await registrar.register(request);
  const { remote } = request.flow;
  const aor = get(request.message, To)?.uri ?? '';
  if (answer.status === 200) happenings.registered(readable(aor), `${remote.address}:${remote.port}`);
  return answer;
}

function check(core: Core, sentBys: readonly string[], request: Request): Verdict | undefined {
  const { message } = request;
  const uri = parseUri(message.uri);
  const endsHere = uri !== undefined && uri.user === undefined && core.domains.isOurs(uri);
  const refusal = validate(message, { sentBys, loopHash: () => request.loopHash, endsHere });
  return refusal === undefined ? undefined : refuse(refusal.code, refusal.status, refusal.text, refusal.headers);
}

function reachedByFlow(request: Request): boolean {
  const via = get(request.message, Via);
  const { transport, remote } = request.flow;
  const contact = get(request.message, Contact);
  return via !== undefined && mustUseFlow({ transport, via, contact, source: remote });
}
