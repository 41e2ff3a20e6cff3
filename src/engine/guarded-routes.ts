/**
 * The routes as the engine asks them. Anybody may change them, and only `npm run check` reads their types: so what they
 * return is looked at before it is used, what they throw is told with its file and line, and none is waited for without
 * an end: a call has a clear answer, whatever they do.
 *
 * Left out: one that never gives the process back (`while (true)`): nobody can interrupt that.
 */
import { Failure, isErrorCode } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Routes } from './api.ts';
import { Deadlines } from './deadlines.ts';

/** What a route asks for has its own, shorter limits: the database, rtpengine node by node. */
const routeMs = 30_000;

type Name = keyof Routes;

export function guardedRoutes(routes: Routes, clock: Pick<Clock, 'after' | 'nowMs'>): Routes {
  const deadlines = new Deadlines(clock, routeMs);
  async function inTime<T>(name: Name, work: () => Promise<T>): Promise<T> {
    const late = (): Failure => new Failure('route-late', `routes/${name}.ts, ${routeMs / 1000} s`);
    try {
      return await deadlines.hold(work(), late);
    } catch (thrown) {
      throw ofRoute(thrown);
    }
  }
  async function ask<T>(
    name: Name,
    work: () => Promise<T>,
    faultOf: (value: unknown) => string | undefined,
  ): Promise<T> {
    const value = await inTime(name, work);
    const fault = faultOf(value);
    if (fault !== undefined) throw new Failure('route-verdict', `routes/${name}.ts: ${fault}`);
    return value;
  }
  return {
    request: (request, proxy) => ask('request', () => routes.request(request, proxy), verdictFault),
    branch: (branch, proxy) => ask('branch', () => routes.branch(branch, proxy), messageFault('request')),
    reply: (reply, proxy) => ask('reply', () => routes.reply(reply, proxy), messageFault('response')),
    failure: (request, best, proxy) => ask('failure', () => routes.failure(request, best, proxy), failureFault),
  };
}

/** An exception of a file of routes/ as a failure that names it; any other as it is. */
function ofRoute(thrown: unknown): unknown {
  const place = thrown instanceof Failure ? undefined : placeInRoutes(thrown);
  return place === undefined ? thrown : new Failure('route-failed', `${place}: ${thrown}`);
}

/** File and line, if it was thrown in routes/. */
export function placeInRoutes(thrown: unknown): string | undefined {
  const stack = (thrown instanceof Error && thrown.stack) || '';
  // Built-in functions that it has called stand above it, and are in no file of ours.
  const frame = stack.split('\n').find((line) => /^\s+at .*\.ts\b/.test(line)) ?? '';
  const [, file, line] = /\/routes\/([\w.-]+\.ts)(?:\?version=\d+)?:(\d+):\d+/.exec(frame) ?? [];
  return file === undefined ? undefined : `routes/${file}, line ${line}`;
}

// --- what they return ------------------------------------------------------------------------------------------------

function verdictFault(value: unknown): string | undefined {
  switch (memberOf(value, 'kind')) {
    case 'reply':
      return replyFault(value);
    case 'relay':
      return relayFault(value);
    case 'drop':
      return codeFault(memberOf(value, 'code'));
    default:
      return `it returned ${named(value)}, and no verdict.`;
  }
}

function failureFault(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return memberOf(value, 'kind') === 'drop' ? 'a failure is never dropped.' : verdictFault(value);
}

function messageFault(kind: 'request' | 'response'): (value: unknown) => string | undefined {
  return (value) => (memberOf(value, 'kind') === kind ? undefined : `it returned ${named(value)}, and no ${kind}.`);
}

function replyFault(value: unknown): string | undefined {
  const [status, code] = [memberOf(value, 'status'), memberOf(value, 'code')];
  const isFinal = Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 699;
  if (!isFinal) return `a reply has a status from 200 to 699, not ${named(status)}.`;
  return code === undefined ? undefined : codeFault(code);
}

function codeFault(code: unknown): string | undefined {
  return typeof code === 'string' && isErrorCode(code) ? undefined : `src/errors.ts has no row ${named(code)}.`;
}

function relayFault(value: unknown): string | undefined {
  const targets = memberOf(value, 'targets');
  if (!Array.isArray(targets)) return `a relay has a list of targets, not ${named(targets)}.`;
  const bad: unknown = targets.find((target) => typeof memberOf(target, 'uri') !== 'string');
  return bad === undefined && !targets.includes(undefined) ? undefined : `a target has a uri, not ${named(bad)}.`;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Short, for the log. */
function named(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value).slice(0, 80);
  return Array.isArray(value) ? 'a list' : `an object with ${Object.keys(value).join(', ').slice(0, 80) || 'nothing'}`;
}
