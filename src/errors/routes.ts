/** What is wrong with the routes as somebody has changed them: rows of `errors.ts`, which gives them out. */
const mend = 'Correct that file of routes/ (`npm run check` finds most mistakes), then `npx viaduct reload`.';

export const routesErrors = {
  'route-failed': {
    status: 500,
    meaning: 'A route ended with an exception.',
    nextStep: mend,
  },
  'route-verdict': {
    status: 500,
    meaning: 'A route returned what it must not.',
    nextStep: `An \`await\` or a \`return\` may be missing. ${mend}`,
  },
  'route-late': {
    status: 500,
    meaning: 'A route did not come to its end in time.',
    nextStep: `Look for what it waits for. ${mend}`,
  },
  'route-own-address': {
    status: 500,
    meaning: 'A route relays to an address of ours as to that of another server.',
    nextStep:
      'Ring the account instead: `call(request, proxy, uri)` of routes/forwarding.ts, or relay to what `proxy.location.lookup(uri)` finds.',
  },
  'route-endless': {
    status: 500,
    meaning: 'The failure route names other targets again and again.',
    nextStep: `It must return undefined when its last target has failed as well. ${mend}`,
  },
} as const;
