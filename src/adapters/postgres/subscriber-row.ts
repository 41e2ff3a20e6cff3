/** An account as its row has it, for those who read one: by its name (subscriber-store.ts), as a callee, by its session. */
import type { CallSettings, Subscriber } from '../../ports.ts';
import { fromDatabase } from './text.ts';

export interface SubscriberRow {
  readonly username: string;
  readonly domain: string;
  readonly ha1_md5: string;
  readonly ha1_sha256: string;
  readonly do_not_disturb: boolean;
  readonly ring_seconds: number | null;
  readonly most_calls: number | null;
  readonly forward_always: string | null;
  readonly forward_busy: string | null;
  readonly forward_no_answer: string | null;
  readonly voicemail: string | null;
}

export interface Name {
  readonly username: string;
  readonly domain: string;
}

/** All of an account but its hashes. */
export const SUBSCRIBER_COLUMNS = `s.username, s.domain,
  s.do_not_disturb, s.ring_seconds, s.most_calls, s.forward_always, s.forward_busy, s.forward_no_answer, s.voicemail`;

export function nameKey({ username, domain }: Name): string {
  return `${username}\n${domain}`;
}

export function subscriberOf(row: SubscriberRow | undefined): Subscriber | undefined {
  if (row === undefined) return undefined;
  return {
    username: fromDatabase(row.username),
    domain: fromDatabase(row.domain),
    ha1Md5: row.ha1_md5,
    ha1Sha256: row.ha1_sha256,
    calls: callsOf(row),
  };
}

function callsOf(row: SubscriberRow): CallSettings {
  return {
    doNotDisturb: row.do_not_disturb,
    ringSeconds: row.ring_seconds ?? undefined,
    mostCalls: row.most_calls ?? undefined,
    forwardAlways: textOf(row.forward_always),
    forwardBusy: textOf(row.forward_busy),
    forwardNoAnswer: textOf(row.forward_no_answer),
    voicemail: textOf(row.voicemail),
  };
}

function textOf(text: string | null): string | undefined {
  return text === null ? undefined : fromDatabase(text);
}
