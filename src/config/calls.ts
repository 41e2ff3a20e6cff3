/** The settings of calls: how many there may be, and how long somebody is waited for. */
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface CallLimitSettings {
  readonly graceSeconds: number;
  /** 0: no limit. */
  readonly maxCalls: number;
  /** 0: timer B. */
  readonly tryingSeconds: number;
  readonly timerCSeconds: number;
  /** 0: never. */
  readonly mediaIdleSeconds: number;
  /** 0: none are kept. */
  readonly callRecordDays: number;
}

type Table = { readonly [Field in keyof CallLimitSettings]: Setting<CallLimitSettings[Field]> };

export const callLimitTable: Table = {
  graceSeconds: {
    name: 'GRACE_SECONDS',
    unit: 'seconds',
    help: 'How long the binding and the calls of a closed connection wait for the client to come back.',
    example: '10',
    byDefault: '10',
    otherwise: 10,
    parse: value.wholeNumber(0, 3600),
  },
  tryingSeconds: {
    name: 'TRYING_SECONDS',
    unit: 'seconds',
    help: 'How long a registered device may take to say anything to a call, and be it 100, before nobody waits for it, and a server before the next of its domain is asked; 0 for as long as RFC 3261.',
    example: '5',
    byDefault: '5',
    otherwise: 5,
    parse: value.wholeNumber(0, 32),
  },
  maxCalls: {
    name: 'MAX_CALLS',
    unit: 'calls',
    help: 'How many calls an account may have at a time, made and taken, where `viaduct user set --calls` does not say; 0 for no limit.',
    example: '4',
    byDefault: '0',
    otherwise: 0,
    parse: value.wholeNumber(0, 1000),
  },
  callRecordDays: {
    name: 'CALL_RECORD_DAYS',
    unit: 'days',
    help: 'How long the record of an ended call is kept in the database: who, when, how it ended, packets and quality; 0 to keep none.',
    example: '30',
    byDefault: '30',
    otherwise: 30,
    parse: value.wholeNumber(0, 3650),
  },
  timerCSeconds: {
    // RFC 3261 §16.6 step 11: timer C is larger than three minutes.
    name: 'TIMER_C_SECONDS',
    unit: 'seconds',
    help: 'How long an unanswered call may ring before it is cancelled; RFC 3261 asks for more than 180.',
    example: '181',
    byDefault: '181',
    otherwise: 181,
    parse: value.wholeNumber(1, 3600),
  },
  mediaIdleSeconds: {
    name: 'MEDIA_IDLE_SECONDS',
    unit: 'seconds',
    help: 'How long no packet may come in a call that is not on hold before it is ended; 0 for never.',
    example: '600',
    byDefault: '600',
    otherwise: 600,
    parse: value.wholeNumber(0, 86_400),
  },
};
