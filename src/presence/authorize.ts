/**
 * Who may watch whom (RFC 3856 §6.6.2, RFC 5025 §3.2.1), and what he gets to see.
 *
 * A rule of the presentity for this watcher decides; without one, the account itself may always, and others as PRESENCE
 * says. Left out: rules for groups, domains, times and parts of a document (RFC 5025).
 */
import type { EventPackage, SubscriptionState, WatcherPolicy } from '../ports.ts';
import { packages } from './packages.ts';

/** The setting PRESENCE: everybody who logs in may watch, or has to wait until the presentity allows it. */
export type PresencePolicy = 'open' | 'confirm';

export interface WatchQuestion {
  readonly event: EventPackage;
  readonly resource: string;
  readonly watcher: string;
  readonly rule: WatcherPolicy | undefined;
  readonly otherwise: PresencePolicy;
}

/** `refused`: 403, or an end with the reason `rejected`. `polite`: active, and shown nothing. */
export type WatchDecision = 'active' | 'polite' | 'pending' | 'refused';

export function decideWatch({ event, resource, watcher, rule, otherwise }: WatchQuestion): WatchDecision {
  if (resource === watcher) return 'active';
  if (packages[event].who === 'owner') return 'refused';
  switch (rule) {
    case 'allow':
      return 'active';
    case 'block':
      return 'refused';
    case 'polite-block':
      return 'polite';
    case undefined:
      return otherwise === 'open' ? 'active' : 'pending';
  }
}

export function stateOf(decision: Exclude<WatchDecision, 'refused'>): SubscriptionState {
  return decision === 'pending' ? 'pending' : 'active';
}
