/**
 * Response contexts told in words. `after(invite, 'branches a b', 'routed', 'sent a', 'a 180')` is a saved state from
 * which a test tries one ending after the other; effects come back in words, too: `forward a 180`.
 */
import assert from 'node:assert/strict';
import { type ErrorCode, errors } from '../../src/errors.ts';
import { createRequest, createResponse, type Field } from '../../src/message/build.ts';
import type { SipRequest, SipResponse } from '../../src/message/message.ts';
import {
  type ContextEffect,
  type ContextEvent,
  createResponseContext,
  type ResponseContext,
  step,
} from '../../src/proxy/response-context.ts';

export const makeRequest = (method: string): SipRequest =>
  createRequest({
    method,
    uri: 'sip:bob@biloxi.example.com',
    from: '<sip:alice@atlanta.example.com>;tag=a',
    to: '<sip:bob@biloxi.example.com>',
    callId: 'call-1',
    cseq: 1,
  });

const request = makeRequest('INVITE');

export const response = (status: number, toTag = 'b', headers: readonly Field[] = []): SipResponse =>
  createResponse(request, status, { toTag, headers });

export const invite = createResponseContext('INVITE');
export const message = createResponseContext('MESSAGE');

/** `routed` · `cancel REASON` · `branches a b` · `sent a` · `a 180` · `a failed 408 CODE` · `a replaced b` · `a overtaken b` · `timer-c a` · `silent a` · `terminated a` */
export function eventOf(words: string): ContextEvent {
  const [first = '', second = '', third = '', fourth = ''] = words.split(' ');
  switch (first) {
    case 'routed':
    case 'ring-time-out':
      return { on: first };
    case 'cancel':
      return second === '' ? { on: 'cancel' } : { on: 'cancel', reason: words.slice('cancel '.length) };
    case 'branches':
      return { on: 'branches', ids: words.split(' ').slice(1) };
    case 'sent':
    case 'timer-c':
    case 'silent':
    case 'terminated':
      return { on: first, branch: second };
    default:
      if (second === 'replaced' || second === 'overtaken') return { on: second, branch: first, by: third };
      if (second === 'failed') return { on: 'failed', branch: first, status: Number(third), code: codeOf(fourth) };
      return { on: 'response', branch: first, response: response(Number(second), first) };
  }
}

function codeOf(word: string): ErrorCode {
  const isCode = (text: string): text is ErrorCode => Object.hasOwn(errors, text);
  assert.ok(isCode(word), word);
  return word;
}

export function inWords(effect: ContextEffect): string {
  switch (effect.do) {
    case 'forward':
      return `forward ${effect.branch} ${effect.response.status}`;
    case 'respond':
      return ['respond', effect.status, effect.code].filter((word) => word !== undefined).join(' ');
    case 'cancel':
      return effect.reason === undefined ? `cancel ${effect.branch}` : `cancel ${effect.branch} ${effect.reason}`;
    case 'start-timer-c':
      return `start-c ${effect.branch} ${effect.ms}`;
    case 'stop-timer-c':
      return `stop-c ${effect.branch}`;
    case 'abandon':
    case 'ended':
      return `${effect.do} ${effect.branch}`;
  }
}

export function after(context: ResponseContext, ...events: readonly string[]): ResponseContext {
  return events.reduce((now, words) => step(now, eventOf(words))[0], context);
}

/** What these events ask for, in order. */
export function effects(context: ResponseContext, ...events: readonly string[]): readonly string[] {
  const all: string[] = [];
  events.reduce((now, words) => {
    const [next, list] = step(now, eventOf(words));
    all.push(...list.map(inWords));
    return next;
  }, context);
  return all;
}

/** Only what is seen outside: messages and the end; without timers and `ended`. */
export function seen(context: ResponseContext, ...events: readonly string[]): readonly string[] {
  return effects(context, ...events).filter((words) => !/^(start-c|stop-c|ended)/.test(words));
}
