/** What is measured, a row each. Rates are fixed, so that CPU per operation can be compared (bench/README.md). */

export type Scenario = 'register' | 'lookup' | 'publish' | 'call' | 'call-webrtc';

/** What the database holds before the proxy starts, as of one that has run for long. */
export interface Stored {
  readonly bindings: number;
  /** To the presence of the first accounts, ten watchers each. */
  readonly subscriptions: number;
}

export interface Case {
  readonly name: string;
  readonly what: string;
  readonly scenario: Scenario;
  /** Operations per second. */
  readonly rate: number;
  /** Calls go through rtpengine; without it the telephones speak to each other, which Viaduct never lets them. */
  readonly media: boolean;
  /** Nobody is trusted: each request is challenged first. */
  readonly digest?: boolean;
  /** How much later each answer of rtpengine or PostgreSQL comes. */
  readonly rtpengineMs?: number;
  readonly postgresMs?: number;
  /** Measured with `--only growth` or by name; Viaduct alone. */
  readonly stored?: Stored;
  /** The case with less in the database, and by how much the CPU of an operation may grow from there. */
  readonly growth?: { readonly from: string; readonly percent: number };
  /** The most that Viaduct may use, in multiples of Kamailio's proxy CPU, or proxy and PostgreSQL together. */
  readonly bar?: { readonly of: 'proxy' | 'proxy and PostgreSQL'; readonly ratio: number };
}

/** The cases of one of them share a start. */
const few: Stored = { bindings: 10_000, subscriptions: 2_000 };
const many: Stored = { bindings: 1_000_000, subscriptions: 200_000 };

export const cases: readonly Case[] = [
  {
    name: 'register',
    what: 'durable REGISTER: refreshes of registered users, each committed before its 200',
    scenario: 'register',
    rate: 500,
    media: false,
    bar: { of: 'proxy and PostgreSQL', ratio: 1 },
  },
  {
    name: 'register-digest',
    what: 'the same with digest: two requests, and the account is read for the second',
    scenario: 'register',
    rate: 250,
    media: false,
    digest: true,
  },
  {
    name: 'call',
    what: 'call between two telephones, rtpengine relays the media',
    scenario: 'call',
    rate: 100,
    media: true,
  },
  {
    name: 'call-webrtc',
    what: 'call from a browser to a telephone, rtpengine translates the media',
    scenario: 'call-webrtc',
    rate: 100,
    media: true,
    bar: { of: 'proxy', ratio: 1.5 },
  },
  {
    name: 'call-far-rtpengine',
    what: 'call between two telephones, rtpengine 20 ms away',
    scenario: 'call',
    rate: 100,
    media: true,
    rtpengineMs: 20,
  },
  {
    name: 'register-far-postgres',
    what: 'durable REGISTER, PostgreSQL 5 ms away',
    scenario: 'register',
    rate: 100,
    media: false,
    postgresMs: 5,
  },
  {
    name: 'register-10k',
    what: 'REGISTER of any of 10,000 registered users',
    scenario: 'register',
    rate: 500,
    media: false,
    stored: few,
  },
  {
    name: 'register-1m',
    what: 'REGISTER of any of 1,000,000 registered users',
    scenario: 'register',
    rate: 500,
    media: false,
    stored: many,
    growth: { from: 'register-10k', percent: 10 },
  },
  {
    name: 'lookup-10k',
    what: 'REGISTER without Contact, which asks for the bindings of any of 10,000 registered users',
    scenario: 'lookup',
    rate: 500,
    media: false,
    stored: few,
  },
  {
    name: 'lookup-1m',
    what: 'REGISTER without Contact, which asks for the bindings of any of 1,000,000 registered users',
    scenario: 'lookup',
    rate: 500,
    media: false,
    stored: many,
    growth: { from: 'lookup-10k', percent: 10 },
  },
  {
    name: 'notify-2k',
    what: 'NOTIFY to each of ten watchers, at a PUBLISH and its end; 2,000 subscriptions',
    scenario: 'publish',
    rate: 10,
    media: false,
    stored: few,
  },
  {
    name: 'notify-200k',
    what: 'NOTIFY to each of ten watchers, at a PUBLISH and its end; 200,000 subscriptions',
    scenario: 'publish',
    rate: 10,
    media: false,
    stored: many,
    growth: { from: 'notify-2k', percent: 10 },
  },
  {
    name: 'notify-1000',
    what: 'the same, a thousand NOTIFY in a second; 20,000 subscriptions',
    scenario: 'publish',
    rate: 50,
    media: false,
    stored: { bindings: 10_000, subscriptions: 20_000 },
  },
];
