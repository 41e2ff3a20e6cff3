/** The failures of finding somebody who may take a call: rows of `errors.ts`, which gives them out. */
export const routingErrors = {
  'not-found': {
    status: 404,
    meaning: 'There is no such address here.',
    nextStep: 'Check the dialled name; `npx viaduct user list` shows the accounts.',
  },
  'not-registered': {
    status: 480,
    meaning: 'The called account exists but no device of it is registered.',
    nextStep: 'See /api/v1/registrations; the device may be off or have lost its connection.',
  },
  'do-not-disturb': {
    status: 480,
    meaning: 'The called account does not want to be disturbed.',
    nextStep: 'Nothing; `npx viaduct user set NAME --do-not-disturb off` lets its devices ring again.',
  },
  'caller-call-limit': {
    status: 503,
    meaning: 'The caller has as many calls at a time as the account may have.',
    nextStep:
      'See `npx viaduct calls`; `npx viaduct user set NAME --calls NUMBER` allows more, MAX_CALLS for everybody.',
  },
  'callee-call-limit': {
    status: 486,
    meaning: 'The called account has as many calls at a time as it may have.',
    nextStep:
      'See `npx viaduct calls`; `npx viaduct user set NAME --calls NUMBER` allows more, MAX_CALLS for everybody.',
  },
} as const;
