/** The settings of waking devices that sleep (RFC 8599 with Web Push). */
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface PushSettings {
  /** 0: nobody is woken. */
  readonly pushSeconds: number;
  readonly pushDays: number;
  readonly pushServices: readonly string[];
  /** `undefined`: made at the first start. */
  readonly vapidKey: string | undefined;
}

type Table = { readonly [Field in keyof PushSettings]: Setting<PushSettings[Field]> };

/** Of Chrome and Edge on Android, Firefox, Safari, and Edge on Windows. */
const browsers = 'fcm.googleapis.com *.push.services.mozilla.com *.push.apple.com *.notify.windows.com';

export const pushTable: Table = {
  pushSeconds: {
    name: 'PUSH_SECONDS',
    unit: 'seconds',
    help: 'How long a call waits for a closed browser that is woken by Web Push; 0 wakes nobody.',
    example: '30',
    byDefault: '30',
    otherwise: 30,
    parse: value.wholeNumber(0, 180),
  },
  pushDays: {
    name: 'PUSH_DAYS',
    unit: 'days',
    help: 'How long a device that can be woken may stay registered without coming back.',
    example: '7',
    byDefault: '7',
    otherwise: 7,
    parse: value.wholeNumber(1, 60),
  },
  pushServices: {
    name: 'PUSH_SERVICES',
    unit: 'hosts',
    help: 'The push services that are asked to wake a device, host or host:port, "*." for all below; no other ever is.',
    example: 'fcm.googleapis.com *.push.services.mozilla.com',
    byDefault: 'those of the common browsers',
    otherwise: value.pushHosts(browsers),
    parse: value.pushHosts,
  },
  vapidKey: {
    name: 'VAPID_KEY',
    unit: '32 bytes, base64url',
    help: 'Signs our pushes (a private key of P-256); the same on all nodes. Browsers subscribe anew when it changes.',
    example: 'the output of: cat data/vapid-key (on the first node)',
    byDefault: 'made at the first start',
    otherwise: undefined,
    parse: value.vapidKey,
    secret: true,
  },
};
