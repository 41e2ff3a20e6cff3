/**
 * The journey of a message from the network to the routes, read top to bottom (RFC 3261 §18.2.1, §17.2.3, §16.2).
 *
 * Left out: what a route decides (routes/), what happens to a relayed request (response-contexts.ts).
 */
import { type ErrorCode, errors, failureOf } from '../errors.ts';
import { createResponse } from '../message/build.ts';
import { get } from '../message/header.ts';
import { CallId } from '../message/headers/call-id.ts';
import { To, tagOf } from '../message/headers/from-to.ts';
import { Reason } from '../message/headers/text.ts';
import type { SipRequest } from '../message/message.ts';
import { parseMessage, type Unparsable } from '../message/scan.ts';
import { stampReceived } from '../nat/received.ts';
import type { Flow, NodeSelf } from '../ports.ts';
import { branchParameter, loopHash } from '../proxy/loop.ts';
import { describeSdp, isSdp } from '../sdp/describe.ts';
import { type Reply, type Request, refuse, type Verdict } from './api.ts';
import type { Core } from './core.ts';
import { ByFlow } from './dialog/by-flow.ts';
import { hangUp } from './dialog/hang-up.ts';
import { kindByTransport } from './media/assumed-kind.ts';
import type { Admission } from './overload.ts';
import { prepareBranch } from './proxy/branches.ts';
import { withoutOwnRoutes } from './proxy/own-routes.ts';
import { ResponseContextRunner } from './proxy/response-contexts.ts';
import { opensCall } from './proxy/upstream.ts';
import { responseOf } from './replies.ts';
import type { ServerTransaction } from './transactions.ts';

const tryingAfterMs = 200;
/** What scanning a message refuses beside its grammar. */
const unreadable: Readonly<Record<number, ErrorCode>> = { 505: 'unsupported-version', 513: 'too-large' };
const stopping = 'SIP;cause=503;text="Viaduct is stopping"';

export class Receiver {
  readonly #core: Core;
  /** Those of INVITEs, which a CANCEL may come for: by the key of the server transaction, as long as that lives. */
  readonly #contexts = new Map<string, ResponseContextRunner>();
  /** Calls that are being set up, by the caller's flow. */
  readonly #ringing = new ByFlow<ResponseContextRunner>();
  /** RFC 3261 §8.2.7: who refuses without state says the same To tag each time, and knows the ACK by it. */
  readonly #busyTag: string;

  constructor(core: Core) {
    this.#core = core;
    this.#busyTag = this.#newTag();
  }

  message(text: string, flow: Flow): void {
    if (!this.#core.protection.hears(flow)) {
      this.#core.counters.drop('message of a refused source');
      return;
    }
    const admission = this.#core.overload.admission(text);
    if (admission === 'dropped') {
      this.#core.counters.drop('overloaded');
      return;
    }
    const message = parseMessage(text);
    if (message.kind === 'unparsable') {
      this.#unparsable(message, flow);
      return;
    }
    if (message.kind === 'request' && this.#core.protection.isScan(message, flow)) {
      this.#core.counters.drop('scanner');
      return;
    }
    if (message.kind === 'request' && this.#isTurnedAway(message, flow, admission)) return;
    this.#core.stories.received(message, text, flow);
    if (message.kind === 'request') this.#request(stampReceived(message, flow.remote), flow);
    else if (!this.#core.transactions.response(message)) this.#core.counters.drop('stray response');
  }

  /** Refused as cheaply as can be: no transaction, no story, no route; and the ACK for it goes nowhere. */
  #isTurnedAway(request: SipRequest, flow: Flow, admission: Admission): boolean {
    if (request.method === 'ACK') return tagOf(get(request, To)) === this.#busyTag;
    if (admission === 'admitted' || this.#core.transactions.knows(request)) return false;
    this.#core.counters.request(request.method);
    this.#core.counters.refusal('overloaded');
    this.#respondStateless(stampReceived(request, flow.remote), flow, refuse('overloaded', 503), this.#busyTag);
    return true;
  }

  // §16.3 step 1: 400 where there is somebody to answer; never for an ACK (§8.2.6.2 has no response to it).
  #unparsable(bad: Unparsable, flow: Flow): void {
    this.#core.counters.drop('malformed');
    this.#core.ports.log.debug(
      { from: flow.remote, error: bad.error, section: bad.section },
      'A malformed message came',
    );
    if (bad.request === undefined || bad.request.method === 'ACK') return;
    const code = unreadable[bad.status] ?? 'malformed';
    const refusal = refuse(code, bad.status, bad.error);
    const reply = code === 'malformed' ? { ...refusal, reason: `Bad Request (${bad.error})` } : refusal;
    this.#core.counters.refusal(code);
    this.#respondStateless(stampReceived(bad.request, flow.remote), flow, reply);
  }

  #request(request: SipRequest, flow: Flow): void {
    this.#core.counters.request(request.method);
    try {
      this.#dispatch(request, flow);
    } catch (thrown) {
      this.#refuseStateless(request, flow, thrown);
    }
  }

  #dispatch(request: SipRequest, flow: Flow): void {
    if (this.#core.transactions.absorbed(request)) return;
    if (request.method === 'ACK') this.#ack(request, flow);
    else if (request.method === 'CANCEL') this.#cancel(request, flow);
    else this.#newTransaction(request, flow);
  }

  /** Law 9: what there is no room for is refused without a transaction, each time it comes. */
  #refuseStateless(request: SipRequest, flow: Flow, thrown: unknown): void {
    const failure = failureOf(thrown);
    this.#core.counters.refusal(failure.code);
    if (failure.code === 'internal') {
      const stack = thrown instanceof Error ? thrown.stack : '';
      this.#core.ports.log.error({ callId: get(request, CallId), stack }, failure.message);
    }
    if (request.method === 'ACK') return;
    this.#respondStateless(request, flow, refuse(failure.code, errors[failure.code].status, failure.detail));
  }

  #respondStateless(request: SipRequest, flow: Flow, reply: Reply, tag = this.#newTag()): void {
    this.#core.counters.response(reply.status, request.method);
    this.#core.transactions.sendDirect(responseOf(request, reply, tag), flow);
  }

  // RFC 3261 §9.2, §16.10: CANCEL is answered at once by itself; what it cancels goes its own way.
  #cancel(cancel: SipRequest, flow: Flow): void {
    const invite = this.#core.transactions.cancelled(cancel);
    const context = invite === undefined ? undefined : this.#contexts.get(invite.key);
    if (context === undefined) {
      // Without a transaction, for anybody can send these without end (law 9).
      this.#respondStateless(cancel, flow, refuse('no-transaction', 481));
      return;
    }
    const server = this.#core.transactions.server(cancel, flow, () => true);
    const response = responseOf(cancel, { kind: 'reply', status: 200 }, this.#newTag());
    this.#core.counters.response(response.status, cancel.method);
    server.respond(response);
    context.cancel(get(cancel, Reason));
  }

  #newTransaction(message: SipRequest, flow: Flow): void {
    const server = this.#core.transactions.server(message, flow, () => this.#isOfKnownCall(message));
    const request = this.#view(message, flow);
    const context = new ResponseContextRunner(this.#core, request, server);
    if (message.method === 'INVITE') this.#watch(request, server, context);
    const trying = this.#trying(request, server);
    this.#decide(request)
      .then(
        (verdict) => {
          trying.cancel();
          this.#core.stories.routed(request, verdict);
          if (verdict.kind === 'relay') {
            this.#core.stories.byeCame(request);
            trying.now();
            context.relay(verdict);
          } else if (verdict.kind === 'reply') context.reply(verdict);
          else context.reply(refuse(verdict.code, errors[verdict.code].status));
        },
        (thrown: unknown) => {
          trying.cancel();
          const refusal = this.#failed(request, thrown);
          this.#core.stories.routed(request, refusal);
          context.reply(refusal);
        },
      )
      .catch((thrown: unknown) => server.respond(responseOf(message, this.#failed(request, thrown), this.#newTag())));
  }

  /** Its context is kept as long as its transaction: a CANCEL may come. Anything else lives on as an answer to repeat. */
  #watch(request: Request, server: ServerTransaction, context: ResponseContextRunner): void {
    const { message, flow, inDialog } = request;
    this.#contexts.set(server.key, context);
    if (!inDialog) {
      this.#ringing.add(flow.id, context);
      if (opensCall(request)) this.#core.stories.began(message, server.key);
      else this.#core.stories.handedOn(message);
    }
    server.onTerminated = () => {
      this.#contexts.delete(server.key);
      if (inDialog) return;
      this.#core.callLimits.finished(request);
      this.#ringing.remove(flow.id, context);
      this.#core.stories.finished(message, server.key);
    };
  }

  /** A To tag alone says nothing: anybody can invent one. */
  #isOfKnownCall(message: SipRequest): boolean {
    const { dialogs, media } = this.#core;
    const inDialog = tagOf(get(message, To)) !== undefined;
    return inDialog && (dialogs.find(message, undefined) ?? media.find(message)) !== undefined;
  }

  /** The connection of a caller is gone. */
  closed(flow: Flow): void {
    for (const context of this.#ringing.of(flow.id)) context.callerClosed();
  }

  /** Another node is gone, and with it what it knew of calls that are being set up. */
  nodeGone(gone: NodeSelf): void {
    for (const context of [...this.#contexts.values()]) context.nodeGone(gone);
  }

  /** Whether calls are being set up, those of other nodes for devices here among them. */
  get rings(): boolean {
    return this.#ringing.all().some(({ isOpen }) => isOpen);
  }

  /** Nobody would tell the callees that the caller has given up. */
  cancelRinging(): void {
    for (const context of this.#ringing.all()) context.cancel(stopping);
  }

  /**
   * RFC 3261 §17.2.1: whoever does not answer an INVITE within 200 ms says 100, and its sender stops repeating it; one
   * that is forwarded says so at once (§16.2).
   */
  #trying(request: Request, server: ServerTransaction): { readonly now: () => void; readonly cancel: () => void } {
    if (request.message.method !== 'INVITE') return { now: () => undefined, cancel: () => undefined };
    let said = false;
    const now = (): void => {
      if (said) return;
      said = true;
      this.#core.counters.response(100, request.message.method);
      server.respond(createResponse(request.message, 100));
    };
    return { now, cancel: this.#core.ports.clock.after(tryingAfterMs, now) };
  }

  async #decide(request: Request): Promise<Verdict> {
    // What another node hands on is that one's, and goes on there when we have stopped.
    if (this.#core.draining && !request.inDialog && request.hop === undefined) return refuse('shutting-down', 503);
    return this.#core.routes.request(request, this.#core.proxy);
  }

  #failed(request: Request, thrown: unknown): ReturnType<typeof refuse> {
    const failure = failureOf(thrown);
    const fields = { callId: get(request.message, CallId), method: request.message.method, detail: failure.detail };
    if (failure.code === 'internal') {
      this.#core.ports.log.error({ ...fields, stack: thrown instanceof Error ? thrown.stack : '' }, failure.message);
    }
    return refuse(failure.code, errors[failure.code].status || 500, failure.detail);
  }

  // RFC 3261 §16.11, §13.2.2.4: the ACK for a 2xx is a request of its own that nobody answers.
  #ack(message: SipRequest, flow: Flow): void {
    const request = this.#view(message, flow);
    this.#forwardAck(request).catch((thrown: unknown) => {
      const failure = failureOf(thrown);
      this.#core.counters.refusal(failure.code);
      this.#core.ports.log.warn({ callId: get(message, CallId), code: failure.code }, failure.message);
      hangUp(this.#core, request, failure);
    });
  }

  async #forwardAck(request: Request): Promise<void> {
    const verdict = await this.#core.routes.request(request, this.#core.proxy);
    const target = verdict.kind === 'relay' ? verdict.targets[0] : undefined;
    if (target === undefined) {
      this.#core.counters.drop('ACK of no dialog');
      return;
    }
    const id = branchParameter(this.#core.ports.random.hex(8), request.loopHash);
    const ack = await prepareBranch(this.#core, request, { id, target, maxBreadth: undefined });
    this.#core.transactions.sendDirect(ack.message, ack.flow);
  }

  #view(received: SipRequest, flow: Flow): Request {
    const { request, token, hop } = withoutOwnRoutes(this.#core, received);
    const sdp = isSdp(request) ? describeSdp(request.body) : undefined;
    let hash: string | undefined;
    return {
      message: request,
      flow,
      // A node of ours has looked at it already.
      trusted: hop !== undefined || this.#core.options.isTrusted(flow.remote.address),
      inDialog: tagOf(get(request, To)) !== undefined,
      token,
      hop,
      media: sdp?.kind ?? kindByTransport(flow.transport),
      // Most of what is answered here needs none.
      get loopHash() {
        hash ??= loopHash(received);
        return hash;
      },
      notes: { reachByFlow: false, user: undefined },
    };
  }

  #newTag(): string {
    return this.#core.ports.random.hex(5);
  }
}
