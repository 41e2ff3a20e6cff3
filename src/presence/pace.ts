/**
 * When a subscription is notified (RFC 6665 §4.2.2, the rate limit of each package): one NOTIFY at a time, the next only
 * after the final response to the one before, the first at once, later ones no closer than the pace. What happens
 * meanwhile becomes one NOTIFY with the state of then, so nothing queues up however slow a watcher is.
 *
 *     idle ──wanted──▶ sending ──answered──▶ resting ──rested──▶ idle
 *                         ▲                     │
 *                         └── rested & wanted, or urgent ──┘
 */

export type Pace =
  | { readonly state: 'idle' }
  /** `again`: something has changed since. */
  | { readonly state: 'sending'; readonly again: Want | undefined }
  | { readonly state: 'resting'; readonly again: boolean };

/** `urgent`: a SUBSCRIBE asks for it, which the pace does not hold back (RFC 6665 §4.2.1.2), or it is the last. */
export type Want = 'change' | 'urgent';

export type PaceEvent =
  | { readonly on: 'wanted'; readonly want: Want }
  /** The NOTIFY has its final response, or will never have one. */
  | { readonly on: 'answered' }
  /** The pace has passed since the last NOTIFY. */
  | { readonly on: 'rested' };

export type PaceEffect = 'send' | 'rest' | 'stop-resting';

export const idle: Pace = { state: 'idle' };

export function stepPace(pace: Pace, event: PaceEvent): readonly [Pace, readonly PaceEffect[]] {
  switch (pace.state) {
    case 'idle':
      return event.on === 'wanted' ? [sending, ['send']] : [pace, []];
    case 'sending':
      return stepSending(pace, event);
    case 'resting':
      return stepResting(pace, event);
  }
}

const sending: Pace = { state: 'sending', again: undefined };

function stepSending(pace: Pace & { state: 'sending' }, event: PaceEvent): readonly [Pace, readonly PaceEffect[]] {
  switch (event.on) {
    case 'wanted':
      return [{ ...pace, again: pace.again === 'urgent' ? 'urgent' : event.want }, []];
    case 'answered':
      if (pace.again === 'urgent') return [sending, ['send']];
      return [{ state: 'resting', again: pace.again !== undefined }, ['rest']];
    case 'rested':
      return [pace, []];
  }
}

function stepResting(pace: Pace & { state: 'resting' }, event: PaceEvent): readonly [Pace, readonly PaceEffect[]] {
  switch (event.on) {
    case 'wanted':
      return event.want === 'urgent' ? [sending, ['stop-resting', 'send']] : [{ ...pace, again: true }, []];
    case 'rested':
      return pace.again ? [sending, ['send']] : [idle, []];
    case 'answered':
      return [pace, []];
  }
}
