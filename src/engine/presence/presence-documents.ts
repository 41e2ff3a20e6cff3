/**
 * The body of a NOTIFY, made of what the database and the calls in progress say at that moment.
 */
import type { Binding, Clock, LocationStore, PresenceStore, Subscription } from '../../ports.ts';
import type { WatchDecision } from '../../presence/authorize.ts';
import { dialogInfo } from '../../presence/dialog-info.ts';
import { messageSummary } from '../../presence/message-summary.ts';
import { composePidf, politePidf, registeredPidf } from '../../presence/pidf.ts';
import { type RegisteredContact, regInfo } from '../../presence/reginfo.ts';
import { watcherInfo } from '../../presence/winfo.ts';
import { publicGruu, temporaryGruu } from '../../registrar/gruu.ts';
import { withoutPush } from '../../story/credentials.ts';
import type { ToldRegistrations } from '../registrar/told-registrations.ts';
import type { BusyCalls } from './busy-calls.ts';

export interface DocumentSources {
  readonly presence: PresenceStore;
  readonly location: LocationStore;
  readonly clock: Clock;
  readonly calls: BusyCalls;
  readonly told: ToldRegistrations;
  /** Enciphers temporary GRUUs. */
  readonly tokenSecret: string | undefined;
}

/** `undefined`: a NOTIFY without a body. */
export async function documentFor(
  sources: DocumentSources,
  subscription: Subscription,
  decision: WatchDecision,
): Promise<string | undefined> {
  // RFC 3856 §6.6.2: who waits for a decision must not learn whether there is anybody.
  if (decision === 'pending' || decision === 'refused') return undefined;
  const { resource, version, event } = subscription;
  const isPolite = decision === 'polite';
  const nowMs = sources.clock.nowMs();
  switch (event) {
    case 'presence':
      return isPolite ? politePidf(resource) : presenceDocument(sources, resource);
    case 'dialog':
      return dialogInfo(resource, version, isPolite ? [] : sources.calls.of(resource));
    case 'reg': {
      const contacts = (await bindings(sources, resource)).map((one) => withGruus(one, sources.tokenSecret));
      return regInfo(resource, version, contacts, nowMs);
    }
    case 'message-summary':
      return messageSummary(resource, await sources.presence.mailbox(resource));
    case 'presence.winfo': {
      const watchers = await sources.presence.subscribers(resource, 'presence');
      return watcherInfo(resource, { version, event: 'presence', nowMs }, watchers);
    }
  }
}

async function presenceDocument(sources: DocumentSources, resource: string): Promise<string> {
  const publications = await sources.presence.publications(resource, 'presence');
  if (publications.length > 0) {
    return composePidf(
      resource,
      publications.map(({ body }) => body),
    );
  }
  return registeredPidf(resource, (await bindings(sources, resource)).length > 0);
}

function withGruus(binding: Binding, secret: string | undefined): RegisteredContact {
  const temporary = secret === undefined ? undefined : temporaryGruu(binding, secret);
  return { ...binding, publicGruu: publicGruu(binding), temporaryGruu: temporary };
}

async function bindings({ location, told }: DocumentSources, aor: string): Promise<readonly Binding[]> {
  const found = await location.lookup(aor);
  told.note(aor, found);
  // Watchers see the contacts, and shall not be able to wake them.
  return found.map((binding) => ({ ...binding, contact: withoutPush(binding.contact) }));
}
