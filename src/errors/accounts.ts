/** What ends the devices and calls of accounts: rows of `errors.ts`, which gives them out. */
export const accountErrors = {
  'account-closed': {
    status: 480,
    meaning: 'The account of one side was shut.',
    nextStep: 'Nothing: it was disabled or removed over REST or by `npx viaduct user`.',
  },
  'session-ended': {
    status: 480,
    meaning: 'The short-lived login of one side has ended.',
    nextStep:
      'It expired or was revoked: POST /api/v1/sessions gives another one. A web application with tokens registers with a new one in time.',
  },
} as const;
