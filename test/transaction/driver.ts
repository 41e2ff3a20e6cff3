/**
 * Drives one transaction on a clock of its own and writes down what it asks for, one line an effect: `500 send INVITE`.
 * A timer fires when the clock passes it, so a test of 64*T1 takes no time.
 */
import { createResponse } from '../../src/message/build.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import type { Effect } from '../../src/transaction/effects.ts';
import type { TimerName } from '../../src/transaction/timers.ts';

type Step<Tx> = readonly [Tx, readonly Effect[]];
interface TimerEvent {
  readonly on: 'timer';
  readonly timer: TimerName;
}

export interface Driver<Tx, Event> {
  readonly tx: Tx;
  /** One event now; the effects it had, without the time. */
  on(event: Event): readonly string[];
  /** Lets the time pass; the effects of the timers that fired, each with the time since the start. */
  pass(ms: number): readonly string[];
  /** Messages sent so far. */
  readonly sent: readonly SipMessage[];
  /** Timers that run. */
  readonly running: readonly TimerName[];
}

export function drive<Tx, Event>(
  first: Step<Tx>,
  step: (tx: Tx, event: Event | TimerEvent) => Step<Tx>,
): Driver<Tx, Event> {
  let tx = first[0];
  let nowMs = 0;
  const due = new Map<TimerName, number>();
  const sent: SipMessage[] = [];

  function perform(effects: readonly Effect[]): readonly string[] {
    for (const effect of effects) {
      if (effect.do === 'send') sent.push(effect.message);
      if (effect.do === 'repeat') sent.push(...sent.slice(-1));
      if (effect.do === 'start') due.set(effect.timer, nowMs + effect.ms);
      if (effect.do === 'stop') due.delete(effect.timer);
      if (effect.do === 'terminated') due.clear();
    }
    return effects.map((effect) =>
      effect.do === 'repeat' ? `${inWords(effect)} ${named(sent.at(-1))}` : inWords(effect),
    );
  }

  function take(event: Event | TimerEvent): readonly string[] {
    const [next, effects] = step(tx, event);
    tx = next;
    return perform(effects);
  }

  function fireNext(endMs: number): readonly string[] | undefined {
    const [timer, atMs] = [...due].sort((a, b) => a[1] - b[1])[0] ?? [];
    if (timer === undefined || atMs === undefined || atMs > endMs) return undefined;
    nowMs = atMs;
    due.delete(timer);
    return take({ on: 'timer', timer }).map((line) => `${atMs} ${line}`);
  }

  perform(first[1]);
  return {
    get tx() {
      return tx;
    },
    sent,
    get running() {
      return [...due.keys()].sort();
    },
    on: take,
    pass(ms) {
      const endMs = nowMs + ms;
      const lines: string[] = [];
      for (let fired = fireNext(endMs); fired !== undefined; fired = fireNext(endMs)) lines.push(...fired);
      nowMs = endMs;
      return lines;
    },
  };
}

const named = (message: SipMessage | undefined): string | number =>
  message?.kind === 'request' ? message.method : (message?.status ?? 'nothing');

export function inWords(effect: Effect): string {
  switch (effect.do) {
    case 'send':
    case 'pass':
      return `${effect.do} ${named(effect.message)}`;
    case 'start':
      return `start ${effect.timer} ${effect.ms}`;
    case 'stop':
      return `stop ${effect.timer}`;
    case 'repeat':
    case 'timeout':
    case 'transport-error':
    case 'terminated':
      return effect.do;
  }
}

export interface RequestText {
  readonly method?: string;
  readonly uri?: string;
  readonly via?: string;
  readonly to?: string;
  readonly from?: string;
  readonly callId?: string;
  readonly cseq?: number;
}

export function request(text: RequestText = {}): SipRequest {
  const method = text.method ?? 'INVITE';
  const uri = text.uri ?? 'sip:bob@biloxi.example.com';
  const message = parseMessage(
    [
      `${method} ${uri} SIP/2.0`,
      `Via: ${text.via ?? 'SIP/2.0/UDP proxy.example.com:5060;branch=z9hG4bKabc'}`,
      'Max-Forwards: 69',
      `From: ${text.from ?? '<sip:alice@atlanta.example.com>;tag=a1'}`,
      `To: ${text.to ?? '<sip:bob@biloxi.example.com>'}`,
      `Call-ID: ${text.callId ?? 'call-1'}`,
      `CSeq: ${text.cseq ?? 7} ${method}`,
      'Route: <sip:next.example.com;lr>',
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n'),
  );
  if (message.kind !== 'request') throw new Error(`no request: ${JSON.stringify(message)}`);
  return message;
}

export const response = (status: number, toTag = 'b1', to: SipRequest = request()): SipResponse =>
  createResponse(to, status, { toTag });
