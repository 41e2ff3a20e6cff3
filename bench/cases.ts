/** What is measured, a row each. Rates are fixed, so that CPU per operation can be compared (bench/README.md). */

export type Scenario = 'register' | 'call' | 'call-webrtc';

export interface Case {
  readonly name: string;
  readonly what: string;
  readonly scenario: Scenario;
  /** Operations per second. */
  readonly rate: number;
  /** Calls go through rtpengine; without it the telephones speak to each other, which Viaduct never lets them. */
  readonly media: boolean;
  /** How much later each answer of rtpengine or PostgreSQL comes. */
  readonly rtpengineMs?: number;
  readonly postgresMs?: number;
  /** The most that Viaduct may use, in multiples of Kamailio's proxy CPU, or proxy and PostgreSQL together. */
  readonly bar?: { readonly of: 'proxy' | 'proxy and PostgreSQL'; readonly ratio: number };
}

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
];
