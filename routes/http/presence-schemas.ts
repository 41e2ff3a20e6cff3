/** What the presence part of the REST API takes and answers; see `schemas.ts`. */
import { Type } from 'typebox';
import { PageQuery } from './schemas.ts';

const Text = Type.String();
const Address = Type.String({ minLength: 7, maxLength: 500 });
const Count = Type.Integer({ minimum: 0, maximum: 1_000_000 });
const EventPackage = Type.Union([
  Type.Literal('presence'),
  Type.Literal('presence.winfo'),
  Type.Literal('dialog'),
  Type.Literal('reg'),
  Type.Literal('message-summary'),
]);
const State = Type.Union([Type.Literal('pending'), Type.Literal('active'), Type.Literal('terminated')]);
const Next = Type.Union([Text, Type.Null()]);

const Publication = Type.Object({
  aor: Text,
  event: EventPackage,
  contentType: Text,
  bytes: Type.Integer({ minimum: 0 }),
  expiresAt: Text,
});

const Subscription = Type.Object({
  resource: Text,
  event: EventPackage,
  watcher: Text,
  state: State,
  notifications: Type.Integer({ minimum: 0 }),
  contact: Text,
  since: Text,
  expiresAt: Text,
});

export const PublicationsBody = Type.Object({ items: Type.Array(Publication), next: Next });
export const SubscriptionsBody = Type.Object({ items: Type.Array(Subscription), next: Next });

const exact = { additionalProperties: false };

export const RuleBody = Type.Object(
  {
    presentity: Address,
    watcher: Address,
    policy: Type.Union([Type.Literal('allow'), Type.Literal('block'), Type.Literal('polite-block')]),
  },
  exact,
);
export const RulesBody = Type.Object({ items: Type.Array(RuleBody), next: Next });
export const RulesQuery = Type.Object({ presentity: Address, ...PageQuery.properties }, exact);
export const RuleQuery = Type.Object({ presentity: Address, watcher: Address }, exact);

export const MailboxQuery = Type.Object({ aor: Address }, exact);
export const MailboxBody = Type.Object(
  {
    aor: Address,
    newMessages: Count,
    oldMessages: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
    newUrgent: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
    oldUrgent: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
  },
  exact,
);
