/** The settings of calls: how long somebody is waited for who says nothing, does not answer, is gone or is not heard. */
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface CallTimes {
  readonly graceSeconds: number;
  /** 0: timer B. */
  readonly tryingSeconds: number;
  readonly timerCSeconds: number;
  /** 0: never. */
  readonly mediaIdleSeconds: number;
}

type Table = { readonly [Field in keyof CallTimes]: Setting<CallTimes[Field]> };

export const callTimesTable: Table = {
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
    help: 'How long a registered device may take to say anything to a call, and be it 100, before nobody waits for it; 0 for as long as RFC 3261.',
    example: '5',
    byDefault: '5',
    otherwise: 5,
    parse: value.wholeNumber(0, 32),
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
