/** What is wrong with a token of an identity server (JWT_KEYS): rows of `errors.ts`, which gives them out. */
export const tokenErrors = {
  'token-malformed': {
    status: 401,
    meaning: 'What came as a token is no signed JSON Web Token.',
    nextStep: 'Let the web application send "Authorization: Bearer " and the token of its identity server, whole.',
  },
  'token-algorithm': {
    status: 401,
    meaning: 'The token is signed by an algorithm that is not taken.',
    nextStep: 'Let the identity server sign with RS256, PS256, ES256 or EdDSA.',
  },
  'token-key': {
    status: 401,
    meaning: 'The token is signed with a key that JWT_KEYS does not have.',
    nextStep: 'Compare the kid with the keys that JWT_KEYS shows now; a forged token looks like this as well.',
  },
  'token-signature': {
    status: 401,
    meaning: 'The signature of the token is wrong.',
    nextStep: 'The token was changed on its way, or forged; see that JWT_KEYS belongs to the server that signs.',
  },
  'token-issuer': {
    status: 401,
    meaning: 'The token is of another issuer.',
    nextStep: 'Set JWT_ISSUER to what stands in iss, to the letter, if those tokens are to be taken.',
  },
  'token-audience': {
    status: 401,
    meaning: 'The token is for another audience.',
    nextStep:
      'Let the identity server put JWT_AUDIENCE into aud for this application, or add that one to JWT_AUDIENCE.',
  },
  'token-early': {
    status: 401,
    meaning: 'The token is not valid yet.',
    nextStep: 'Compare the clock of this host with that of the identity server.',
  },
  'token-expired': {
    status: 401,
    meaning: 'The token has expired.',
    nextStep: 'The web application must get a new one and register with it; if it did, compare the clocks.',
  },
  'token-claim': {
    status: 401,
    meaning: 'The token lacks a claim that is needed here.',
    nextStep: 'Let the identity server add it; JWT_CLAIM says which one names the account.',
  },
  'token-account': {
    status: 403,
    meaning: 'The account that the token names is not here, or it is disabled.',
    nextStep: 'Add it (`npx viaduct user add NAME`), or let JWT_CLAIM name a claim that says its address.',
  },
  'token-over-udp': {
    status: 403,
    meaning: 'Tokens are not taken over UDP: anybody on the way could use them, and no connection ends with them.',
    nextStep: 'Let the client connect by wss, or by TLS.',
  },
  'token-keys-missing': {
    status: 503,
    meaning: 'The keys of the identity server cannot be fetched.',
    nextStep: 'This host must reach JWT_KEYS; the log has the reason, and it is tried again every half minute.',
  },
} as const;
