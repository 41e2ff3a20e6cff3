/**
 * A scripted user agent that talks to a running Viaduct: an `Agent` on a real line, with an `RtpParty` for its voice.
 * It registers and logs in as a telephone does, and keeps the connection that it registered on. Over WS and WSS it is a
 * browser as far as signalling goes: its SDPs say DTLS and ICE, and nothing speaks them.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { serialize } from '../../src/message/edit.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import type { Transport } from '../../src/ports.ts';
import type { Direction } from '../../src/sdp/describe.ts';
import { Agent, type AgentClock, type AgentDialog, type RequestOptions } from './agent.ts';
import { hostport, type Line, openLine } from './line.ts';
import type { Station } from './network.ts';
import type { Scope } from './process.ts';
import { openRtp, type RtpParty } from './rtp.ts';
import { browserAnswer, browserOffer } from './sdp.ts';
import type { Viaduct } from './viaduct-process.ts';

export interface SoftphoneOptions {
  readonly user: string;
  readonly password?: string;
  readonly transport: Transport;
  /** UDP: the address of 127.0.0.0/8 that it sends from. */
  readonly from?: string;
  /** It has no IPv4: it reaches Viaduct at ::1, and so does its voice. */
  readonly ip6?: boolean;
  /** The byte that it says (openRtp). */
  readonly voice?: number;
}

/** A call that is up, seen from both ends. */
export interface Talk {
  readonly callId: string;
  /** What the callee received, with the SDP that it answered. */
  readonly received: SipRequest;
  readonly answered: SipResponse;
  readonly caller: AgentDialog;
  readonly callee: AgentDialog;
}

export const PASSWORD = 'open-sesame';
export const sdpType = 'application/sdp';

const answerTo: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

const realClock: AgentClock = {
  advance: (ms) => delay(ms),
  async advanceUntil(done, limitMs) {
    for (const deadlineMs = Date.now() + limitMs; !done(); await delay(5)) if (Date.now() > deadlineMs) return false;
    return true;
  },
};

export async function openSoftphone(scope: Scope, viaduct: Viaduct, options: SoftphoneOptions): Promise<Softphone> {
  const rtp = await openRtp(scope, options.voice ?? 1, loopbackOf(options));
  const softphone = new Softphone(viaduct, options, rtp);
  scope.after(() => softphone.disconnect());
  await softphone.connect();
  return softphone;
}

/** Registered. */
export async function softphoneOf(scope: Scope, viaduct: Viaduct, options: SoftphoneOptions): Promise<Softphone> {
  const softphone = await openSoftphone(scope, viaduct, options);
  assert.equal((await softphone.register()).status, 200, `${options.user} cannot register`);
  return softphone;
}

export class Softphone {
  readonly aor: string;
  readonly rtp: RtpParty;
  #viaduct: Viaduct;
  readonly #options: SoftphoneOptions;
  #line: Line | undefined;
  #agent: Agent | undefined;
  #receive: (text: string) => void = () => undefined;
  #versions = 0;

  constructor(viaduct: Viaduct, options: SoftphoneOptions, rtp: RtpParty) {
    this.aor = `sip:${options.user}@${viaduct.domain}`;
    this.rtp = rtp;
    this.#viaduct = viaduct;
    this.#options = options;
  }

  /** What it says and hears in SIP. */
  get agent(): Agent {
    return this.#agent ?? assert.fail('connect() first');
  }

  /** A new line, as after a lost connection, perhaps to another node; its dialogs stay. */
  async connect(to = this.#viaduct): Promise<void> {
    this.disconnect();
    this.#viaduct = to;
    const { transport, from } = this.#options;
    const host = loopbackOf(this.#options);
    const { port } = this.#viaduct.listener(transport, host).local;
    const authority = this.#viaduct.authority();
    this.#line = await openLine({ transport, host, port, authority, from, received: (text) => this.#receive(text) });
    this.#agent ??= this.#createAgent(this.#line);
  }

  disconnect(): void {
    this.#line?.close();
    this.#line = undefined;
  }

  async register(request: RequestOptions = {}): Promise<SipResponse> {
    const headers = [['Expires', '600']] as const;
    const first = this.agent.request('REGISTER', `sip:${this.#viaduct.domain}`, { headers, ...request });
    const answer = await this.agent.receivesFinal('REGISTER');
    if (answer.status !== 401) return answer;
    this.#login(first, answer);
    return this.agent.receivesFinal('REGISTER');
  }

  /** An INVITE with credentials, as soon as they were asked for. */
  async invite(uri: string, body: string): Promise<SipRequest> {
    const first = this.agent.request('INVITE', uri, { body, contentType: sdpType });
    const challenge = await this.agent.receivesFinal('INVITE');
    this.agent.ack(first, challenge);
    assert.equal(challenge.status, 407, `challenge: ${challenge.startLine}`);
    return this.#login(first, challenge);
  }

  /** An offer or answer with its RTP port. */
  sdp(direction: Direction = 'sendrecv'): string {
    const { user, ip6 = false } = this.#options;
    const address = `IN ${ip6 ? 'IP6' : 'IP4'} ${loopbackOf(this.#options)}`;
    return [
      'v=0',
      `o=${user} 4711 ${++this.#versions} ${address}`,
      `s=${user}`,
      `c=${address}`,
      't=0 0',
      `m=audio ${this.rtp.port} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      `a=${direction}`,
      '',
    ].join('\r\n');
  }

  offer(direction: Direction = 'sendrecv'): string {
    if (!this.#isBrowser) return this.sdp(direction);
    return asChromium(browserOffer(this.#options.user, { direction, version: ++this.#versions }));
  }

  answer(direction: Direction = 'sendrecv'): string {
    if (!this.#isBrowser) return this.sdp(direction);
    return asChromium(browserAnswer(this.#options.user, { direction, version: ++this.#versions }));
  }

  /** Sends its voice where this SDP wants it, if it wants any. */
  talk(sdp: string): void {
    const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
    assert.ok(port > 0, `no port for RTP in ${sdp}`);
    if (/^a=(sendonly|inactive)\r?$/m.test(sdp)) this.rtp.silence();
    else if (!this.#isBrowser) this.rtp.talkTo(/^c=IN IP[46] (\S+)/m.exec(sdp)?.[1] ?? '', port);
  }

  /** From INVITE to ACK; both talk from then on. */
  async call(other: Softphone): Promise<Talk> {
    const invite = await this.invite(other.aor, this.offer());
    const received = await other.agent.receivesRequest('INVITE').catch((thrown: unknown) => this.#explain(thrown));
    other.agent.respond(received, 180);
    await this.agent.receivesResponse(180);
    const ok = other.agent.respond(received, 200, { body: other.answer(), contentType: sdpType });
    const answered = await this.agent.receivesResponse(200, 'INVITE');
    this.agent.ack(invite, answered);
    await other.agent.receivesRequest('ACK');
    this.talk(answered.body);
    other.talk(received.body);
    const caller = this.agent.dialog(invite, answered);
    return { callId: caller.callId, received, answered, caller, callee: other.agent.dialog(received, ok) };
  }

  /** A re-INVITE from this side, answered by the other. What each of them got. */
  async change(
    dialog: AgentDialog,
    other: Softphone,
    direction: Direction = 'sendrecv',
  ): Promise<{ readonly offered: string; readonly answered: string }> {
    const body = this.offer(direction);
    const invite = this.agent.within(dialog, 'INVITE', { body, contentType: sdpType });
    const received = await other.agent.receivesRequest('INVITE');
    other.agent.respond(received, 200, { body: other.answer(answerTo[direction]), contentType: sdpType });
    const answered = await this.agent.receivesResponse(200, 'INVITE');
    this.agent.ack(invite, answered);
    await other.agent.receivesRequest('ACK');
    this.talk(answered.body);
    other.talk(received.body);
    return { offered: received.body, answered: answered.body };
  }

  async hangUp(dialog: AgentDialog, other: Softphone): Promise<void> {
    this.agent.within(dialog, 'BYE');
    other.agent.respond(await other.agent.receivesRequest('BYE'), 200);
    await this.agent.receivesResponse(200, 'BYE');
    this.rtp.silence();
    other.rtp.silence();
  }

  /** With what Viaduct said to this side, and of itself. */
  #explain(thrown: unknown): never {
    const heard = this.agent.inbox.map(serialize).join('\n');
    const log = this.#viaduct.output().split('\n').slice(-15).join('\n');
    throw new Error(`${thrown}\n--- the other side heard:\n${heard}\n--- the log:\n${log}`, { cause: thrown });
  }

  get #isBrowser(): boolean {
    return this.#options.transport === 'ws' || this.#options.transport === 'wss';
  }

  #login(refused: SipRequest, challenge: SipResponse): SipRequest {
    const { user, password = PASSWORD } = this.#options;
    return this.agent.login(refused, challenge, user, password);
  }

  /** A name of its own: tags, branches and Call-IDs of agents are made of it, and those of two tests must differ. */
  #createAgent(line: Line): Agent {
    const { user, transport } = this.#options;
    const name = `${user}-${randomBytes(4).toString('hex')}`;
    const { address, port } = line.local;
    const host = this.#isBrowser ? `${name}.invalid` : `${hostport(address)}:${port}`;
    const parameter = transport === 'udp' ? '' : `;transport=${this.#isBrowser ? 'ws' : transport}`;
    const contact = `sip:${user}@${host}${parameter}`;
    const network = {
      station: ({ received }: { readonly received: (text: string) => void }) => this.#station(received),
    };
    return new Agent(network, realClock, { name, aor: this.aor, transport, address, port, contact });
  }

  #station(received: (text: string) => void): Station {
    this.#receive = received;
    const { user, transport } = this.#options;
    const line = this.#line ?? assert.fail('no line');
    const lost = (): void => assert.fail('only the virtual network can do this');
    return {
      name: user,
      transport,
      address: line.local,
      listener: this.#viaduct.listener(transport, loopbackOf(this.#options)),
      send: (text) => (this.#line ?? assert.fail(`${user} has no connection`)).send(text),
      close: () => this.disconnect(),
      freeze: lost,
      thaw: lost,
    };
  }
}

function loopbackOf({ ip6 = false }: SoftphoneOptions): string {
  return ip6 ? '::1' : '127.0.0.1';
}

/** Without this line rtpengine takes the `c=` of a browser, 0.0.0.0, for a call on hold. */
function asChromium(sdp: string): string {
  return sdp.replace('a=ice-ufrag', 'a=ice-options:trickle\r\na=ice-ufrag');
}
