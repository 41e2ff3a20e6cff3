/** The failures of presence and messages: rows of `errors.ts`, which gives them out. */
export const presenceErrors = {
  'bad-event': {
    status: 489,
    meaning: 'This event package is not served here.',
    nextStep: 'Allow-Events in the response names those that are; switch the others off in the client.',
  },
  'event-too-brief': {
    status: 423,
    meaning: 'The requested time of the subscription or publication is too short.',
    nextStep: 'Set it to a minute or more in the client.',
  },
  'presence-type': {
    status: 415,
    meaning: 'The document has a type that this event package does not use.',
    nextStep: 'Accept in the response names the right one; presence is application/pidf+xml.',
  },
  'entity-tag': {
    status: 412,
    meaning: 'The publication that the client wants to change has ended.',
    nextStep: 'Nothing: the client publishes anew by itself (RFC 3903 section 4.1).',
  },
  'too-many-publications': {
    status: 403,
    meaning: 'The account has too many publications at once.',
    nextStep: 'See /api/v1/presence/publications; those of lost devices end by themselves.',
  },
  'not-watchable': {
    status: 403,
    meaning: 'This account may not watch that address.',
    nextStep: 'See the rules of the watched account at /api/v1/presence/rules, and the setting PRESENCE.',
  },
  'no-subscription': {
    status: 481,
    meaning: 'There is no such subscription here.',
    nextStep: 'Nothing: the client subscribes anew by itself.',
  },
  'subscribe-out-of-order': {
    status: 500,
    meaning: 'An older SUBSCRIBE arrived after a newer one.',
    nextStep: 'Nothing: the newer one holds.',
  },
  'too-many-subscriptions': {
    status: 403,
    meaning: 'The account has too many subscriptions at once.',
    nextStep: 'See /api/v1/presence/subscriptions; a client may be subscribing anew without ending the old ones.',
  },
  'mailbox-full': {
    status: 480,
    meaning: 'The recipient is away and too many messages wait for him already.',
    nextStep: 'They are delivered when a device of his registers, or end after their time.',
  },
} as const;
