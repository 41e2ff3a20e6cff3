/**
 * A telephone that acts by itself: it repeats requests and responses as RFC 3261 §17 and §13.3.1.4 say, rings, answers,
 * gives up, holds and hangs up by a plan. Written apart from src/transaction, so that a fault there is not repeated here.
 *
 * It complains of what no proxy should send: an SDP that did not pass the relay, a failure without a To tag.
 * Left out: registering (an Agent does it), digest, anything but one media stream.
 */
import { createRequest, createResponse, type Field } from '../../src/message/build.ts';
import { serialize } from '../../src/message/edit.ts';
import { all, get } from '../../src/message/header.ts';
import { CallId } from '../../src/message/headers/call-id.ts';
import { Contact } from '../../src/message/headers/contact.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { From, To, tagOf } from '../../src/message/headers/from-to.ts';
import { RecordRoute } from '../../src/message/headers/route.ts';
import { Via } from '../../src/message/headers/via.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../src/message/message.ts';
import { param } from '../../src/message/params.ts';
import { parseMessage } from '../../src/message/scan.ts';
import type { Cancel, Transport } from '../../src/ports.ts';
import type { VirtualClock } from './clock.ts';
import type { Station, VirtualNetwork } from './network.ts';
import { browserAnswer, browserOffer, phoneAnswer, phoneOffer, seen } from './sdp.ts';

/** What it does with a call that comes in. */
export interface Habit {
  /** Before it rings, and after that before it does what it does. */
  readonly ringAfterMs: number;
  readonly decideAfterMs: number;
  /** A status to refuse with; `answer`; `ring`: lets it ring and gives up by itself; `dead`: says nothing at all. */
  readonly decision: 'answer' | 'ring' | 'dead' | number;
  readonly earlyMedia: boolean;
}

/** What it does once a call is up, and as a caller before that. */
export interface Course {
  readonly cancelAfterMs?: number | undefined;
  readonly holdAfterMs?: number | undefined;
  readonly hangUpAfterMs?: number | undefined;
}

export type CallState = 'calling' | 'ringing' | 'up' | 'ended' | 'failed';

export interface PhoneCall {
  readonly callId: string;
  readonly role: 'caller' | 'callee';
  state: CallState;
  /** The final response it ended with, when it never was up. */
  status: number | undefined;
}

export interface PhoneOptions {
  readonly name: string;
  readonly aor: string;
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
  readonly habit: Habit;
  /** Of calls that it answers. */
  readonly course: Course;
  /** RFC 3261 §20.10: whether it rings before the others of its account. */
  readonly q?: number | undefined;
}

const t1Ms = 500;
const t2Ms = 4000;
const patienceMs = 64 * t1Ms;
/** How long it lets a call ring, or waits for an answer of which a 1xx told. */
const longestRingMs = 90_000;
const sdpType = 'application/sdp';

interface Dialog {
  readonly call: PhoneCall;
  readonly local: string;
  readonly remote: string;
  target: string;
  readonly route: readonly string[];
  cseq: number;
  /** The INVITE that this side has answered and whose ACK is not here yet. */
  unacknowledged: string | undefined;
}

/** A request on its way, repeated until somebody answers. */
interface Asking {
  readonly request: SipRequest;
  stop: Cancel;
  readonly answered: (response: SipResponse) => void;
  provisional: boolean;
}

/** A request that came in, with the response that a repetition of it gets. */
interface Asked {
  readonly request: SipRequest;
  last: SipResponse | undefined;
  stop: Cancel;
}

export class Phone {
  readonly name: string;
  readonly calls: PhoneCall[] = [];
  readonly complaints: string[] = [];
  readonly contact: string;
  readonly #options: PhoneOptions;
  readonly #clock: VirtualClock;
  readonly #station: Station;
  readonly #reliable: boolean;
  readonly #browser: boolean;
  readonly #asking = new Map<string, Asking>();
  readonly #asked = new Map<string, Asked>();
  readonly #dialogs = new Map<string, Dialog>();
  readonly #acks = new Map<string, SipRequest>();
  /** Calls of its own that it has cancelled. */
  readonly #givenUp = new Set<PhoneCall>();
  #numbers = 0;
  #dead = false;

  constructor(network: VirtualNetwork, clock: VirtualClock, options: PhoneOptions) {
    const { name, transport, address, port } = options;
    this.name = name;
    this.#options = options;
    this.#clock = clock;
    this.#reliable = transport !== 'udp';
    this.#browser = transport === 'ws' || transport === 'wss';
    const parameter = transport === 'udp' ? '' : `;transport=${this.#browser ? 'ws' : transport}`;
    this.contact = `sip:${name}@${this.#browser ? `${name}.invalid` : `${address}:${port}`}${parameter}`;
    const received = (text: string): void => this.#receive(text);
    // RFC 5626 §4.5: a client whose connection is gone comes back and registers.
    const disconnected = (): void => void this.#after(1000, () => this.register());
    this.#station = network.station({ name, transport, address: { address, port }, received, disconnected });
  }

  /** Power cut: from now on nothing comes from it. Its calls do not count. */
  die(): void {
    this.#dead = true;
    this.#station.freeze();
    this.calls.length = 0;
  }

  register(): void {
    const { aor, q } = this.#options;
    const headers: readonly Field[] = [
      ['Contact', `<${this.contact}>${q === undefined ? '' : `;q=${q}`}`],
      ['Expires', '3600'],
    ];
    const request = this.#request('REGISTER', 'sip:example.com', aor, aor, {
      callId: this.#fresh('reg'),
      cseq: 1,
      headers,
    });
    this.#ask(request, () => undefined);
  }

  // --- calling -------------------------------------------------------------------------------------------------------

  call(uri: string, course: Course): PhoneCall {
    const call: PhoneCall = { callId: this.#fresh('call'), role: 'caller', state: 'calling', status: undefined };
    this.calls.push(call);
    const from = `${this.#options.aor}`;
    const tag = this.#fresh('tag');
    const invite = this.#request('INVITE', uri, from, uri, {
      callId: call.callId,
      cseq: 1,
      tag,
      ...this.#offer('sendrecv'),
    });
    const asking = this.#ask(invite, (response) => this.#onInviteAnswered(call, invite, response, course));
    this.#after(course.cancelAfterMs ?? longestRingMs + patienceMs, () => this.#giveUp(call, asking));
    return call;
  }

  #giveUp(call: PhoneCall, asking: Asking): void {
    if (call.state !== 'calling') return;
    // RFC 3261 §9.1: not before a provisional response; then as soon as one is there.
    if (!asking.provisional) {
      this.#after(100, () => this.#giveUp(call, asking));
      return;
    }
    this.#givenUp.add(call);
    const { request } = asking;
    const cancel = createRequest({
      method: 'CANCEL',
      uri: request.uri,
      from: get(request, From) ?? '',
      to: get(request, To) ?? '',
      callId: get(request, CallId) ?? '',
      cseq: get(request, CSeq)?.number ?? 0,
      ...viaOf(request),
    });
    this.#ask(cancel, () => undefined);
    // RFC 3261 §9.1: no final response within 64*T1 after the CANCEL: it counts as cancelled.
    this.#after(patienceMs, () => this.#asking.get(keyOf(request))?.answered(createResponse(request, 408)));
  }

  #onInviteAnswered(call: PhoneCall, invite: SipRequest, response: SipResponse, course: Course): void {
    if (response.status >= 300) {
      if (call.state !== 'calling') return;
      call.state = 'failed';
      call.status = response.status;
      return;
    }
    const tag = tagOf(get(response, To)) ?? '';
    const known = this.#dialogs.get(dialogKey(call.callId, tag));
    if (known === undefined) this.#firstAnswer(call, invite, response, course);
    else this.#acknowledge(known, response);
  }

  /** RFC 3261 §13.2.2.4: each 2xx makes a dialog; this telephone wants one of them, and not when it has given up. */
  #firstAnswer(call: PhoneCall, invite: SipRequest, response: SipResponse, course: Course): void {
    const wanted = call.state === 'calling' && !this.#givenUp.has(call);
    const dialog: Dialog = {
      call: wanted ? call : { ...call, state: 'ended' },
      local: header(invite, 'from'),
      remote: header(response, 'to'),
      target: get(response, Contact)?.uri ?? '',
      route: all(response, RecordRoute)
        .map(({ uri }) => `<${uri}>`)
        .reverse(),
      cseq: get(invite, CSeq)?.number ?? 0,
      unacknowledged: undefined,
    };
    this.#dialogs.set(dialogKey(call.callId, tagOf(get(response, To)) ?? ''), dialog);
    this.#acknowledge(dialog, response);
    if (call.state === 'calling') call.state = wanted ? 'up' : 'ended';
    if (wanted) this.#follow(dialog, course);
    else this.#bye(dialog);
  }

  /** The ACK for a 2xx: the same one for each repetition. */
  #acknowledge(dialog: Dialog, response: SipResponse): void {
    const cseq = get(response, CSeq)?.number ?? 0;
    const key = `${dialog.call.callId} ${dialog.remote} ${cseq}`;
    const known = this.#acks.get(key);
    const ack = known ?? this.#within(dialog, 'ACK', cseq, {});
    this.#acks.set(key, ack);
    this.#send(ack);
  }

  #follow(dialog: Dialog, course: Course): void {
    if (course.holdAfterMs !== undefined) this.#after(course.holdAfterMs, () => this.#hold(dialog));
    if (course.hangUpAfterMs !== undefined) this.#after(course.hangUpAfterMs, () => this.#hangUp(dialog));
  }

  #hold(dialog: Dialog): void {
    // RFC 3261 §14.1: not while another INVITE of the dialog is not acknowledged.
    if (dialog.call.state !== 'up' || dialog.unacknowledged !== undefined) return;
    const invite = this.#within(dialog, 'INVITE', ++dialog.cseq, this.#offer('sendonly'));
    this.#ask(invite, (response) => {
      if (response.status < 300) this.#acknowledge(dialog, response);
    });
  }

  #hangUp(dialog: Dialog): void {
    if (dialog.call.state !== 'up') return;
    dialog.call.state = 'ended';
    this.#bye(dialog);
  }

  #bye(dialog: Dialog): void {
    this.#ask(this.#within(dialog, 'BYE', ++dialog.cseq, {}), () => undefined);
  }

  // --- being called --------------------------------------------------------------------------------------------------

  #onRequest(request: SipRequest): void {
    if (request.method === 'ACK') {
      this.#onAck(request);
      return;
    }
    const known = this.#asked.get(keyOf(request));
    if (known !== undefined) {
      if (known.last !== undefined) this.#send(known.last);
      return;
    }
    const asked: Asked = { request, last: undefined, stop: () => undefined };
    this.#asked.set(keyOf(request), asked);
    this.#checkSdp(request);
    const toTag = tagOf(get(request, To));
    if (request.method === 'CANCEL') this.#onCancel(asked);
    else if (toTag !== undefined) this.#onInDialog(asked, toTag);
    else if (request.method === 'INVITE') this.#onInvite(asked);
    else this.#answer(asked, 405);
  }

  #onInvite(asked: Asked): void {
    const { habit } = this.#options;
    const callId = get(asked.request, CallId) ?? '';
    // RFC 3261 §8.2.2.2: the same request by another way.
    if (this.calls.some((call) => call.callId === callId && call.role === 'callee')) {
      this.#answer(asked, 482);
      this.#repeatFinal(asked, () => undefined);
      return;
    }
    const call: PhoneCall = { callId, role: 'callee', state: 'ringing', status: undefined };
    this.calls.push(call);
    if (habit.decision === 'dead') {
      call.state = 'failed';
      return;
    }
    const tag = this.#fresh('tag');
    this.#after(habit.ringAfterMs, () => {
      if (call.state !== 'ringing') return;
      if (habit.earlyMedia) this.#answer(asked, 183, { tag, sdp: this.#reply('sendrecv') });
      else this.#answer(asked, 180, { tag });
    });
    const decideMs = habit.ringAfterMs + (habit.decision === 'ring' ? longestRingMs : habit.decideAfterMs);
    this.#after(decideMs, () => {
      if (call.state === 'ringing') this.#decide(asked, call, tag);
    });
  }

  #decide(asked: Asked, call: PhoneCall, tag: string): void {
    const { decision } = this.#options.habit;
    if (decision === 'answer') {
      this.#accept(asked, call, tag);
      return;
    }
    call.state = 'failed';
    call.status = typeof decision === 'number' ? decision : 480;
    this.#answer(asked, call.status, { tag });
    this.#repeatFinal(asked, () => undefined);
  }

  #accept(asked: Asked, call: PhoneCall, tag: string): void {
    const { request } = asked;
    const sdp = this.#reply('sendrecv');
    this.#answer(asked, 200, { tag, sdp });
    const dialog: Dialog = {
      call,
      local: header(asked.last ?? request, 'to'),
      remote: header(request, 'from'),
      target: get(request, Contact)?.uri ?? '',
      route: all(request, RecordRoute).map(({ uri }) => `<${uri}>`),
      cseq: 0,
      unacknowledged: keyOf(request),
    };
    this.#dialogs.set(dialogKey(call.callId, tagOf(get(request, From)) ?? ''), dialog);
    call.state = 'up';
    this.#repeatFinal(asked, () => this.#hangUp(dialog));
  }

  #onInDialog(asked: Asked, _toTag: string): void {
    const { request } = asked;
    const dialog = this.#dialogs.get(dialogKey(get(request, CallId) ?? '', tagOf(get(request, From)) ?? ''));
    if (dialog === undefined || (dialog.call.state !== 'up' && request.method !== 'BYE')) {
      this.#answer(asked, 481);
      if (request.method === 'INVITE') this.#repeatFinal(asked, () => undefined);
    } else if (request.method === 'BYE') {
      dialog.call.state = 'ended';
      this.#stopRepeating(dialog);
      this.#answer(asked, 200);
    } else if (request.method === 'INVITE') this.#onReInvite(asked, dialog);
    else this.#answer(asked, 200);
  }

  #onReInvite(asked: Asked, dialog: Dialog): void {
    dialog.target = get(asked.request, Contact)?.uri ?? dialog.target;
    dialog.unacknowledged = keyOf(asked.request);
    this.#answer(asked, 200, { sdp: this.#reply('recvonly') });
    this.#repeatFinal(asked, () => this.#hangUp(dialog));
  }

  #onCancel(cancel: Asked): void {
    const invite = this.#asked.get(keyOf(cancel.request).replace(/ CANCEL$/, ' INVITE'));
    this.#answer(cancel, invite === undefined ? 481 : 200);
    if (invite === undefined || (invite.last !== undefined && invite.last.status >= 200)) return;
    const callId = get(invite.request, CallId) ?? '';
    for (const call of this.calls) {
      if (call.callId !== callId || call.role !== 'callee' || call.state !== 'ringing') continue;
      call.state = 'failed';
      call.status = 487;
    }
    this.#answer(invite, 487, { tag: tagOf(get(invite.last ?? invite.request, To)) ?? this.#fresh('tag') });
    this.#repeatFinal(invite, () => undefined);
  }

  #onAck(ack: SipRequest): void {
    // In the INVITE's own transaction for a failure; with a branch of its own for a 2xx.
    this.#asked.get(keyOf(ack).replace(/ ACK$/, ' INVITE'))?.stop();
    const dialog = this.#dialogs.get(dialogKey(get(ack, CallId) ?? '', tagOf(get(ack, From)) ?? ''));
    if (dialog === undefined) return;
    this.#checkSdp(ack);
    const invite = dialog.unacknowledged === undefined ? undefined : this.#asked.get(dialog.unacknowledged);
    if (invite === undefined || get(invite.request, CSeq)?.number !== get(ack, CSeq)?.number) return;
    this.#stopRepeating(dialog);
    const first = tagOf(get(invite.request, To)) === undefined;
    if (first && dialog.call.state === 'up') this.#follow(dialog, this.#options.course);
  }

  #stopRepeating(dialog: Dialog): void {
    if (dialog.unacknowledged !== undefined) this.#asked.get(dialog.unacknowledged)?.stop();
    dialog.unacknowledged = undefined;
  }

  /** RFC 3261 §13.3.1.4, §17.2.1: a final response to INVITE until its ACK. A 2xx also over a connection. */
  #repeatFinal(asked: Asked, unheard: () => void): void {
    const success = (asked.last?.status ?? 0) < 300;
    if (this.#reliable && !success) return;
    const again = (delayMs: number, leftMs: number): void => {
      asked.stop = this.#after(Math.min(delayMs, leftMs), () => {
        if (leftMs <= delayMs) {
          unheard();
          return;
        }
        if (asked.last !== undefined) this.#send(asked.last);
        again(Math.min(2 * delayMs, t2Ms), leftMs - delayMs);
      });
    };
    again(t1Ms, patienceMs);
  }

  #answer(asked: Asked, status: number, { tag, sdp }: { readonly tag?: string; readonly sdp?: string } = {}): void {
    const contact: readonly Field[] = sdp === undefined ? [] : [['Contact', `<${this.contact}>`]];
    asked.last = createResponse(asked.request, status, {
      toTag: tag ?? this.#fresh('tag'),
      recordRoute: status < 300 && status > 100,
      headers: contact,
      ...(sdp === undefined ? {} : { body: sdp, contentType: sdpType }),
    });
    this.#send(asked.last);
  }

  // --- messages ------------------------------------------------------------------------------------------------------

  #receive(text: string): void {
    if (this.#dead) return;
    const message = parseMessage(text);
    if (message.kind === 'unparsable') this.complaints.push(`cannot read: ${message.error}`);
    else if (message.kind === 'request') this.#onRequest(message);
    else this.#onResponse(message);
  }

  #onResponse(response: SipResponse): void {
    this.#checkSdp(response);
    const asking = this.#asking.get(keyOf(response));
    if (asking === undefined) return;
    const { request } = asking;
    if (response.status < 200) {
      asking.provisional = true;
      // RFC 3261 §17.1.1.2: a 1xx stops the repetition of an INVITE; §17.1.2.2: it slows the others down only.
      if (request.method === 'INVITE') asking.stop();
      return;
    }
    asking.stop();
    if (response.status >= 300 && tagOf(get(response, To)) === undefined && request.method === 'INVITE') {
      this.complaints.push(`${response.status} without To tag`);
    }
    if (request.method === 'INVITE' && response.status >= 300) this.#send(ackInTransaction(request, response));
    asking.answered(response);
  }

  /** Law 1. */
  #checkSdp(message: SipMessage): void {
    if (message.body !== '' && !seen(message.body).relayed) {
      this.complaints.push(`raw SDP in ${message.startLine}`);
    }
  }

  #ask(request: SipRequest, answered: (response: SipResponse) => void): Asking {
    const asking: Asking = { request, answered, stop: () => undefined, provisional: false };
    this.#asking.set(keyOf(request), asking);
    const longestMs = request.method === 'INVITE' ? Number.POSITIVE_INFINITY : t2Ms;
    const again = (delayMs: number, leftMs: number): void => {
      asking.stop = this.#after(Math.min(delayMs, leftMs), () => {
        if (leftMs <= delayMs) {
          answered(createResponse(request, 408));
          return;
        }
        if (!this.#reliable) this.#send(request);
        again(Math.min(2 * delayMs, longestMs), leftMs - delayMs);
      });
    };
    this.#send(request);
    again(t1Ms, patienceMs);
    return asking;
  }

  #within(dialog: Dialog, method: string, cseq: number, body: Body): SipRequest {
    const { call, local, remote, target, route } = dialog;
    const headers: readonly Field[] = method === 'INVITE' ? [['Contact', `<${this.contact}>`]] : [];
    return createRequest({
      method,
      uri: target,
      via: this.#via(),
      from: local,
      to: remote,
      callId: call.callId,
      cseq,
      route,
      headers,
      ...body,
    });
  }

  #request(method: string, uri: string, from: string, to: string, parts: Parts): SipRequest {
    const { callId, cseq, tag = this.#fresh('tag'), headers, ...body } = parts;
    return createRequest({
      method,
      uri,
      via: this.#via(),
      from: `<${from}>;tag=${tag}`,
      to: `<${to}>`,
      callId,
      cseq,
      headers: headers ?? [['Contact', `<${this.contact}>`]],
      ...body,
    });
  }

  #via(): Via {
    const { transport, address, port, name } = this.#options;
    const sentBy = this.#browser ? { host: `${name}.invalid`, port: undefined } : { host: address, port };
    return { transport: transport.toUpperCase(), ...sentBy, params: [['branch', `z9hG4bK${this.#fresh('b')}`]] };
  }

  #offer(direction: 'sendrecv' | 'sendonly'): Body {
    const offer = this.#browser ? browserOffer : phoneOffer;
    return { body: offer(this.name, { direction, version: ++this.#numbers }), contentType: sdpType };
  }

  #reply(direction: 'sendrecv' | 'recvonly'): string {
    return this.#browser ? browserAnswer(this.name, { direction }) : phoneAnswer(this.name, { direction });
  }

  #send(message: SipMessage): void {
    if (!this.#dead) this.#station.send(serialize(message));
  }

  #after(delayMs: number, action: () => void): Cancel {
    return this.#clock.after(delayMs, () => {
      if (!this.#dead) action();
    });
  }

  #fresh(what: string): string {
    return `${this.name}-${what}-${++this.#numbers}`;
  }
}

interface Body {
  readonly body?: string;
  readonly contentType?: string;
}

interface Parts extends Body {
  readonly callId: string;
  readonly cseq: number;
  readonly tag?: string;
  readonly headers?: readonly Field[];
}

/** RFC 3261 §17.1.3, §17.2.3: branch and method. */
function keyOf(message: SipMessage): string {
  const branch = param(get(message, Via)?.params ?? [], 'branch') ?? '';
  return `${branch} ${message.kind === 'request' ? message.method : (get(message, CSeq)?.method ?? '')}`;
}

const dialogKey = (callId: string, remoteTag: string): string => `${callId} ${remoteTag}`;

function header(message: SipMessage, name: string): string {
  return message.headers.find((line) => line.name === name)?.value ?? '';
}

function viaOf(request: SipRequest): { readonly via?: Via } {
  const via = get(request, Via);
  return via === undefined ? {} : { via };
}

function ackInTransaction(invite: SipRequest, response: SipResponse): SipRequest {
  return createRequest({
    method: 'ACK',
    uri: invite.uri,
    from: header(invite, 'from'),
    to: header(response, 'to'),
    callId: header(invite, 'call-id'),
    cseq: get(invite, CSeq)?.number ?? 0,
    route: invite.headers.filter(({ name }) => name === 'route').map(({ value }) => value),
    ...viaOf(invite),
  });
}
