/** Numbers, times and SIP names as a person reads them. Everything here takes the time as an argument. */

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact' });
const clockTime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** From here on the year is not obvious, and the time of day does not matter. */
const HALF_YEAR = 180 * DAY;

/** `1,204`. */
export function count(value: number): string {
  return grouped.format(value);
}

/** `204`, `1.2K`: where there is little room. */
export function brief(value: number): string {
  return compact.format(value);
}

/** `1 call`, `2 calls`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `0.4`, `12`, `1,204`: what changes every second needs no digit behind ten. */
export function rate(perSecond: number): string {
  return perSecond < 10 ? short.format(perSecond) : count(perSecond);
}

/** `92 %`; `undefined` of nothing. */
export function share(part: number, whole: number): string | undefined {
  if (whole === 0) return undefined;
  const percent = (100 * part) / whole;
  // 99.7 % must not read as all of them, nor 0.3 % as none.
  if (percent > 99 && percent < 100) return '> 99 %';
  if (percent > 0 && percent < 1) return '< 1 %';
  return `${Math.round(percent)} %`;
}

/** `0:07`, `12:34`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const tail = `${pad(Math.floor(whole / MINUTE) % 60)}:${pad(whole % MINUTE)}`;
  return whole < HOUR ? tail.replace(/^0/, '') : `${Math.floor(whole / HOUR)}:${tail}`;
}

/** `40 s`, `4 min`, `3 h 12 min`, `5 d 3 h`: two units at most. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)} h${tailOf(Math.floor((whole % HOUR) / MINUTE), 'min')}`;
  return `${Math.floor(whole / DAY)} d${tailOf(Math.floor((whole % DAY) / HOUR), 'h')}`;
}

function tailOf(value: number, unit: string): string {
  return value === 0 ? '' : ` ${value} ${unit}`;
}

/** `just now`, `12 s ago`, `in 9 min`; beyond a day the date. */
export function relative(iso: string, nowMs: number): string {
  const atMs = Date.parse(iso);
  const seconds = Math.round((atMs - nowMs) / 1000);
  if (Math.abs(seconds) >= HALF_YEAR) return day.format(atMs);
  if (Math.abs(seconds) >= DAY) return dayAndTime.format(atMs);
  if (seconds > 0) return `in ${span(seconds)}`;
  return seconds > -3 ? 'just now' : `${span(-seconds)} ago`;
}

/** `14:03:07`. */
export function timeOfDay(iso: string | number): string {
  return clockTime.format(typeof iso === 'number' ? iso : Date.parse(iso));
}

export type SentencePart =
  | { readonly kind: 'text' | 'code'; readonly text: string }
  | { readonly kind: 'view'; readonly text: string; readonly view: string };

/** What REST has there, the console shows in a view. */
const viewsOfRest: Readonly<Record<string, readonly [view: string, title: string]>> = {
  '/api/v1/stats': ['', 'Overview'],
  '/api/v1/registrations': ['registrations', 'Registrations'],
  '/api/v1/presence/publications': ['presence', 'Presence'],
  '/api/v1/presence/subscriptions': ['presence', 'Presence'],
};

/** A sentence for operators: `this` is something to type, and an address of REST is a view here where there is one. */
export function sentenceParts(sentence: string): readonly SentencePart[] {
  return sentence.split(/(`[^`]*`|\/api\/v1(?:\/[a-z-]+)+)/).flatMap((text, index): readonly SentencePart[] => {
    if (index % 2 === 0) return text === '' ? [] : [{ kind: 'text', text }];
    if (text.startsWith('`')) return [{ kind: 'code', text: text.slice(1, -1) }];
    const [view, title] = viewsOfRest[text] ?? [];
    return view === undefined || title === undefined ? [{ kind: 'code', text }] : [{ kind: 'view', text: title, view }];
  });
}

const eventWords: Readonly<Record<string, string>> = {
  presence: 'who is there',
  'presence.winfo': 'his watchers',
  dialog: 'busy lamp',
  'message-summary': 'message lamp',
  reg: 'his own devices',
};

/** What an event package is for. */
export function eventWord(event: string): string | undefined {
  return Object.hasOwn(eventWords, event) ? eventWords[event] : undefined;
}

export interface SipName {
  /** The user part, or the host where there is none. */
  readonly user: string;
  readonly host: string;
}

/** `sip:alice@example.com;transport=ws` is alice at example.com. */
export function sipName(uri: string): SipName {
  const bare = uri.replace(/^<|>$/g, '').replace(/^sips?:/i, '');
  const address = bare.split(/[;?]/, 1)[0] ?? bare;
  const at = address.lastIndexOf('@');
  if (at < 0) return { user: address, host: '' };
  return { user: unescaped(address.slice(0, at)), host: address.slice(at + 1) };
}

function unescaped(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
