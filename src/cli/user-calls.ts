/**
 * What an account wants for its calls (`viaduct user set`): options into wishes, and settings into words. What becomes of
 * them is in `routes/forwarding.ts`.
 */
import { fromDatabase, toDatabase } from '../adapters/postgres/text.ts';
import { parseUri } from '../message/uri.ts';
import type { CallSettings } from '../ports.ts';
import { UsageError } from './usage-error.ts';

export const callOptions = {
  'ring-time': { type: 'string' },
  'forward-always': { type: 'string' },
  'forward-busy': { type: 'string' },
  'forward-no-answer': { type: 'string' },
  voicemail: { type: 'string' },
  'do-not-disturb': { type: 'string' },
  calls: { type: 'string' },
} as const;

export const callHelp = `  --ring-time SECONDS           how long its devices ring
  --forward-always ADDRESS      every call goes there
  --forward-busy ADDRESS        when a device is busy
  --forward-no-answer ADDRESS   when nobody answers, or none is registered
  --voicemail ADDRESS           when none of these is set or takes the call
  --do-not-disturb on|off       no device rings
  --calls NUMBER                how many at a time; off: as MAX_CALLS says
`;

type Given = { readonly [option in keyof typeof callOptions]?: string | undefined };

/** What was asked for. ADDRESS without @DOMAIN is in the account's domain; `off` takes a wish back. */
export function wishesOf(given: Given, domain: string): Partial<CallSettings> {
  const { 'ring-time': ringTime, 'do-not-disturb': quiet, calls } = given;
  const address = <K extends keyof CallSettings>(
    setting: K,
    option: keyof Given,
  ): Partial<Record<K, string | undefined>> => {
    const text = given[option];
    const wish: Partial<Record<K, string | undefined>> = {};
    if (text !== undefined) wish[setting] = text === 'off' ? undefined : addressOf(option, text, domain);
    return wish;
  };
  return {
    ...(quiet === undefined ? {} : { doNotDisturb: isOn(quiet) }),
    ...(ringTime === undefined ? {} : { ringSeconds: ringSeconds(ringTime) }),
    ...(calls === undefined ? {} : { mostCalls: mostCalls(calls) }),
    ...address('forwardAlways', 'forward-always'),
    ...address('forwardBusy', 'forward-busy'),
    ...address('forwardNoAnswer', 'forward-no-answer'),
    ...address('voicemail', 'voicemail'),
  };
}

export function callsInWords(calls: CallSettings): readonly (readonly [string, string])[] {
  const address = (uri: string | undefined): string => (uri === undefined ? 'off' : toDatabase(uri));
  return [
    ['ring-time', calls.ringSeconds === undefined ? 'off' : String(calls.ringSeconds)],
    ['forward-always', address(calls.forwardAlways)],
    ['forward-busy', address(calls.forwardBusy)],
    ['forward-no-answer', address(calls.forwardNoAnswer)],
    ['voicemail', address(calls.voicemail)],
    ['do-not-disturb', calls.doNotDisturb ? 'on' : 'off'],
    ['calls', calls.mostCalls === undefined ? 'off' : String(calls.mostCalls)],
  ];
}

function isOn(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new UsageError(`--do-not-disturb ${text}: write on or off.`);
  return text === 'on';
}

function ringSeconds(text: string): number | undefined {
  if (text === 'off') return undefined;
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > 180) throw new UsageError(`--ring-time ${text}: write 1 to 180 seconds, or off.`);
  return seconds;
}

function mostCalls(text: string): number | undefined {
  if (text === 'off') return undefined;
  const most = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (most < 1 || most > 1000) throw new UsageError(`--calls ${text}: write 1 to 1000, or off.`);
  return most;
}

function addressOf(option: string, text: string, domain: string): string {
  const whole = /^sips?:/i.test(text) ? text : `sip:${text.includes('@') ? text : `${text}@${domain}`}`;
  const uri = parseUri(fromDatabase(whole));
  if (uri?.user === undefined) {
    throw new UsageError(`--${option} ${text}: write an address such as carol or carol@example.com, or off.`);
  }
  return fromDatabase(whole);
}
