/** The failures of registrations, and of waking a registered device: rows of `errors.ts`, which gives them out. */
export const registrarErrors = {
  'interval-too-brief': {
    status: 423,
    meaning: 'The requested registration time is too short.',
    nextStep: 'Set the registration interval of the client to a minute or more.',
  },
  'too-many-contacts': {
    status: 403,
    meaning: 'The account has too many devices registered.',
    nextStep: 'Remove old devices, or wait for them to expire.',
  },
  'register-out-of-order': {
    status: 500,
    meaning: 'An older REGISTER arrived after a newer one.',
    nextStep: 'Nothing: the newer registration holds.',
  },
  'register-other': {
    status: 403,
    meaning: 'An account may register only its own address.',
    nextStep: 'Set the same user in the client as address and as authentication name.',
  },
  'contact-is-gruu': {
    status: 403,
    meaning: 'A device is registered at the address that leads to itself (a GRUU of the same account).',
    nextStep: 'The Contact of its REGISTER must be where it is: its own address, or one under .invalid over WebSocket.',
  },
  'gruu-unknown': {
    status: 404,
    meaning: 'The temporary address of a device (GRUU) is not valid, or not any more.',
    nextStep: 'It ends when its device registers anew, or is not registered any more: call the account itself.',
  },
  'push-unanswered': {
    status: 480,
    meaning: 'The device was asleep and woken by a push, and did not come.',
    nextStep: 'Its owner did not open the notification in time; PUSH_SECONDS is how long a call waits.',
  },
  'push-failed': {
    status: 480,
    meaning: 'The device is asleep, and its push service did not take the push that would wake it.',
    nextStep: 'The log says why; this host must reach the push service of the browser (PUSH_SERVICES) over HTTPS.',
  },
} as const;
