/** The commands that ask a running Viaduct, against an invented one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callsCommand, ladderCommand, wordsOf } from '../../src/cli/calls.ts';
import { doctorCommand } from '../../src/cli/doctor.ts';
import { explainCommand } from '../../src/cli/explain.ts';
import { findRunning, type Running } from '../../src/cli/running.ts';
import { screenOf, writeLine } from '../../src/cli/terminal.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { wrapped } from '../../src/cli/wrapped.ts';
import { callIdHash } from '../../src/dialog/call-id-hash.ts';
import { Failure } from '../../src/errors.ts';

const unknown = {
  requestUri: null,
  answeredAt: null,
  calleeMedia: null,
  rtpengine: null,
  endedBy: null,
  code: null,
  reason: null,
  mediaFault: null,
  recording: null,
  node: null,
  legs: [],
};
const call = {
  ...unknown,
  id: 'the-id',
  callId: 'abc@example.com',
  state: 'failed',
  from: 'sip:alice@example.com',
  to: 'sip:bob@example.com',
  startedAt: '2026-01-01T10:00:00.000Z',
  callerMedia: 'webrtc',
  endedAt: '2026-01-01T10:00:02.000Z',
  status: 486,
};

function invented(
  answers: Readonly<Record<string, unknown>>,
  events: readonly unknown[] = [],
): Running & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    post: async () => undefined,
    put: async () => undefined,
    patch: async () => undefined,
    remove: async () => false,
    get: async (path) => {
      asked.push(path);
      return answers[path];
    },
    events: async function* () {
      yield* events;
    },
  };
}

class Seen {
  text = '';
  readonly colours: boolean;
  readonly columns: number;

  constructor(colours: boolean, columns: number) {
    this.colours = colours;
    this.columns = columns;
  }

  readonly write = (text: string): void => {
    this.text += text;
  };
}

const screen = (colours = false, columns = 100): Seen => new Seen(colours, columns);

const ladder = (texts: readonly string[], state = 'failed') => ({
  call: { ...call, state },
  parties: [],
  steps: [],
  lines: texts.map((text) => ({ text, tone: 'plain' })),
  dropped: 0,
});

test('viaduct calls: one line a call, and with --follow what happens from then on', async () => {
  const seen = screen();
  const event = { type: 'call', change: 'failed', call: { ...call, reason: 'There is no such address here.' } };
  const running = invented({ '/api/v1/calls?limit=40': { items: [call], next: null, complete: true } }, [
    { type: 'node' },
    event,
  ]);
  assert.equal(await callsCommand(running, seen, wordsOf('calls', ['--follow'])), 0);
  const [title, row, change] = seen.text.split('\n');
  assert.match(title ?? '', /^ID +STARTED \(UTC\) +STATE +FROM +TO/);
  assert.match(row ?? '', /^the-id +01-01 10:00:00 +failed 486 +alice@example\.com +bob@example\.com$/);
  assert.match(
    change ?? '',
    /^\d\d:\d\d:\d\d {2}failed {4}the-id {2}alice@example\.com → bob@example\.com {2}486 There is no/,
  );
});

const silence = { bytes: null, mos: null, jitterMs: null, lossPercent: null, lost: null, roundTripMs: null };
const talked = {
  ...call,
  state: 'ended',
  answeredAt: '2026-01-01T10:00:01.000Z',
  endedBy: 'callee',
  status: 200,
  legs: [
    { ...silence, role: 'caller', profile: 'webrtc', packets: 500, mos: 4.31, noQuality: null },
    { ...silence, role: 'callee', profile: 'rtp', packets: 0, noQuality: 'no-media' },
  ],
};

test('viaduct calls: who hung up, packets and MOS of both sides, or why there is none', async () => {
  const seen = screen(false, 140);
  const query = 'limit=40&state=ended&account=alice&since=2026-01-01T00%3A00%3A00.000Z';
  const running = invented({ [`/api/v1/calls?${query}`]: { items: [talked], next: null, complete: true } });
  const words = wordsOf('calls', ['ended', '--account', 'alice', '--since', '2026-01-01']);
  assert.equal(await callsCommand(running, seen, words), 0);
  assert.match(seen.text.split('\n')[1] ?? '', / 1 s +callee +500\/0 +4\.3\/no-media$/);
});

test('viaduct calls: where several nodes have calls it says which has each', async () => {
  const listed = async (nodes: readonly (string | null)[], columns: number): Promise<readonly string[]> => {
    const seen = screen(false, columns);
    const items = nodes.map((node) => ({ ...call, state: 'answered', answeredAt: call.startedAt, status: 200, node }));
    const answer = { '/api/v1/calls?limit=40': { items, next: null, complete: true } };
    await callsCommand(invented(answer), seen, wordsOf('calls', []));
    return seen.text.trimEnd().split('\n');
  };
  for (const columns of [100, 140]) {
    const [titles = '', ...rows] = await listed(['n1a2b3c4d', 'n5e6f7a8b', null], columns);
    assert.match(titles, /LASTED +NODE/);
    assert.match(rows[0] ?? '', /n1a2b3c4d/);
    assert.match(rows[1] ?? '', /n5e6f7a8b/);
    for (const line of [titles, ...rows]) assert.ok(line.length <= columns, line);
  }
  assert.ok(!(await listed(['n1a2b3c4d', 'n1a2b3c4d', null], 140)).join().includes('NODE'), 'one node alone');
  assert.ok(!(await listed(['n1a2b3c4d', 'n5e6f7a8b'], 80)).join().includes('NODE'), 'no room for it');
});

test('a terminal has its columns, however many, and sentences are broken at a hundred all the same', () => {
  const columnsOf = (columns: number, isTTY = true): number => screenOf({ isTTY, columns, write: () => true }).columns;
  assert.deepEqual([columnsOf(40), columnsOf(80), columnsOf(200)], [60, 80, 200]);
  assert.equal(columnsOf(200, false), 100, 'a file has none');
  const longest = (columns: number): number =>
    Math.max(...wrapped('word '.repeat(100).trim(), '', columns).map((line) => line.length));
  assert.deepEqual([longest(80), longest(200)], [79, 99]);
});

test('viaduct calls export: all pages as CSV, or as JSON, a line a call', async () => {
  const pages = {
    '/api/v1/calls?limit=1000&state=ended': { items: [talked, talked], next: 'more', complete: true },
    '/api/v1/calls?limit=1000&after=more&state=ended': { items: [talked], next: null, complete: true },
  };
  const csv = screen();
  assert.equal(await callsCommand(invented(pages), csv, wordsOf('calls', ['export', 'ended'])), 0);
  const lines = csv.text.split('\r\n');
  assert.match(lines[0] ?? '', /^id,callId,/);
  assert.match(lines[3] ?? '', /^the-id,abc@example\.com,ended,.*,500,/);
  assert.equal(lines.length, 5);
  const json = screen();
  assert.equal(await callsCommand(invented(pages), json, wordsOf('calls', ['export', 'ended', '--json'])), 0);
  assert.deepEqual(
    json.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [talked, talked, talked],
  );
});

test('viaduct calls export: without the database it fails: half a file looks like a whole one', async () => {
  const pages = { '/api/v1/calls?limit=1000': { items: [talked], next: null, complete: false } };
  await assert.rejects(
    callsCommand(invented(pages), screen(), wordsOf('calls', ['export'])),
    new Failure('database-down'),
  );
});

test('viaduct calls: a time that is none is not asked for', () => {
  assert.throws(() => wordsOf('calls', ['--since', 'noon']), /"noon" is no time/);
});

test('viaduct calls: every row fits the terminal, and who it is can still be read', async () => {
  const long = {
    ...call,
    id: 'a'.repeat(22),
    from: `sip:alice@${'sub.'.repeat(9)}example.com`,
    to: 'sip:bob@example.com;transport=ws',
  };
  for (const columns of [80, 100]) {
    const seen = screen(false, columns);
    await callsCommand(
      invented({ '/api/v1/calls?limit=40': { items: [long], next: null, complete: true } }),
      seen,
      wordsOf('calls', []),
    );
    assert.match(seen.text, /alice@.*… +bob@/);
    assert.ok(!seen.text.includes('transport'), seen.text);
    for (const line of seen.text.split('\n')) assert.ok(line.length <= columns + 2, `${line.length}: ${line}`);
  }
});

test('viaduct calls: a call that was answered and then lost has no status of a refusal', async () => {
  const seen = screen();
  const lost = { ...call, status: 200, answeredAt: call.startedAt };
  await callsCommand(
    invented({ '/api/v1/calls?limit=40': { items: [lost], next: null, complete: true } }),
    seen,
    wordsOf('calls', []),
  );
  assert.match(seen.text, / failed +alice.* 2 s$/m);
});

test('viaduct calls: a caller who gave up is told from a call that was answered, and a list in part says so', async () => {
  const seen = screen();
  const givenUp = { ...call, state: 'ended', status: 487 };
  const running = invented({ '/api/v1/calls?limit=40': { items: [givenUp], next: null, complete: false } });
  await callsCommand(running, seen, wordsOf('calls', []));
  assert.match(seen.text, /^the-id .* no answer +alice.*\nThe database does not answer: .* are missing\.\n$/m);
});

test('viaduct calls: where there are none it says which', async () => {
  const words = { ringing: 'No call rings now.', failed: 'No call has failed.' };
  for (const [state, text] of Object.entries(words)) {
    const seen = screen();
    const none = invented({ [`/api/v1/calls?limit=40&state=${state}`]: { items: [], next: null, complete: true } });
    await callsCommand(none, seen, wordsOf('calls', [state]));
    assert.equal(seen.text, `${text}\n`);
  }
});

test('what was typed wrong is said, and nobody is asked', () => {
  const words = 'There is no state "busy": write one of ringing, answered, ended, failed.';
  assert.throws(() => wordsOf('calls', ['busy']), new UsageError(words));
  assert.throws(() => wordsOf('calls', ['export', 'busy']), new UsageError(words));
  assert.throws(() => wordsOf('calls', ['--json']), new UsageError('--json is of calls export.'));
  assert.throws(() => wordsOf('calls', ['export', '--follow']), /--follow is not of calls export/);
  assert.throws(() => wordsOf('calls', ['--folow']), new UsageError("Unknown option '--folow'."));
  assert.throws(() => wordsOf('calls', ['--url']), new UsageError("Option '--url <value>' argument missing."));
  assert.throws(() => findRunning('localhost:8081'), new UsageError('--url localhost:8081: write http://HOST:PORT.'));
});

test('viaduct ladder takes an id, a Call-ID, or the newest call', async () => {
  const hash = callIdHash('abc@example.com');
  const answers = {
    '/api/v1/calls?limit=1': { items: [call], next: null, complete: true },
    '/api/v1/calls/the-id': call,
    '/api/v1/calls/the-id/ladder': ladder(['one', 'two']),
    [`/api/v1/calls/${hash}/ladder`]: ladder(['by Call-ID']),
  };
  for (const [args, text] of [
    [[], 'one\ntwo\n'],
    [['the-id'], 'one\ntwo\n'],
    [['abc@example.com'], 'by Call-ID\n'],
  ] as const) {
    const seen = screen();
    assert.equal(await ladderCommand(invented(answers), seen, wordsOf('ladder', args)), 0);
    assert.equal(seen.text, text);
  }
});

test('viaduct ladder --follow goes on with the new lines, until the call ends', async () => {
  const running = invented({ '/api/v1/calls?limit=1': { items: [call], next: null, complete: true } });
  const steps = [
    ladder(['alice', 'F1'], 'ringing'),
    ladder(['alice', 'F1', 'F2'], 'answered'),
    ladder(['alice', 'F1', 'F2', 'F3'], 'ended'),
  ];
  const get = running.get;
  const following: Running = {
    ...running,
    get: (path) => (path.endsWith('/ladder') ? Promise.resolve(steps.shift()) : get(path)),
  };
  const seen = screen();
  assert.equal(await ladderCommand(following, seen, wordsOf('ladder', ['--follow'])), 0);
  assert.equal(seen.text, 'alice\nF1\nF2\nF3\n');
});

test('a call that nobody knows, and an answer of another version, are failures with a next step', async () => {
  const none = invented({ '/api/v1/calls?limit=1': { items: [], next: null, complete: true } });
  await assert.rejects(
    ladderCommand(none, screen(), wordsOf('ladder', [])),
    new Failure('call-unknown', 'There was no call yet.'),
  );
  const odd = invented({ '/api/v1/calls?limit=40': { calls: [] } });
  await assert.rejects(callsCommand(odd, screen(), wordsOf('calls', [])), /answers in another form/);
});

const noWait = async (): Promise<void> => undefined;

test('a call whose story is forgotten, while its record is there, is not called unknown', async () => {
  const running = invented({
    '/api/v1/calls?limit=1': { items: [call], next: null, complete: true },
    '/api/v1/calls/the-id': call,
  });
  const forgotten = new Failure('story-forgotten', 'Call the-id');
  await assert.rejects(explainCommand(running, screen(), wordsOf('explain', []), noWait), forgotten);
  await assert.rejects(ladderCommand(running, screen(), wordsOf('ladder', ['the-id'])), forgotten);
});

for (const [what, over, exchanges, words] of [
  ['rings', { state: 'ringing', endedAt: null, status: null }, 1, 'none yet, nobody has answered'],
  ['was given up', { state: 'ended', status: 487 }, 1, 'none, nobody has answered'],
  ['never reached rtpengine', {}, 0, 'rtpengine was not asked'],
  ['was answered', { answeredAt: call.startedAt }, 1, 'rtpengine has said nothing of it'],
] as const) {
  test(`viaduct explain: a call that ${what} has no packets, and it says why`, async () => {
    const seen = screen();
    const leg = {
      ...{ party: { role: 'caller', name: 'alice', address: '192.0.2.1:5060', transport: 'udp' }, userAgent: '' },
      ...{ inCall: true, profile: 'webrtc', why: 'its SDP says so', sdpFrom: null, sdpTo: null },
      ...{ media: null, noQuality: null, overTime: { packets: [], quality: [] } },
    } as const;
    const exchange = {
      ...{ kind: 'offer', by: 'caller', callee: 'bob', at: call.startedAt, tookMs: 1, node: 'udp:192.0.2.9:22222' },
      ...{ cookie: 'c', flags: {}, failure: null, before: '', after: null, words: [], changes: [] },
    } as const;
    const body = { call: { ...call, ...over }, verdicts: [], legs: [leg], exchanges: [exchange].slice(0, exchanges) };
    const running = invented({ '/api/v1/calls/the-id': call, '/api/v1/calls/the-id/explain': body });
    assert.equal(await explainCommand(running, seen, wordsOf('explain', ['the-id']), noWait), 0);
    assert.match(seen.text, new RegExp(`^ {2}media: ${words}$`, 'm'));
  });
}

test('viaduct doctor: the exit code is 1 when something is broken, and 0 for a warning', async () => {
  const finding = (level: string) => ({ check: 'dns', level, says: 'It leads elsewhere.', cure: 'Mend the record.' });
  for (const [level, code] of [
    ['ok', 0],
    ['warning', 0],
    ['error', 1],
  ] as const) {
    const seen = screen();
    const running = invented({ '/api/v1/doctor': { healthy: code === 0, findings: [finding(level)] } });
    assert.equal(await doctorCommand(running, seen), code);
    assert.match(seen.text, /dns +It leads elsewhere\.\n +→ Mend the record\.\n/);
  }
});

test('colours where there is a terminal, and escape sequences of strangers nowhere', () => {
  const seen = screen(true);
  writeLine(seen, 'busy\x1b[2Jhere\x9b31m', 'bad');
  assert.equal(seen.text, '\x1b[31mbusy·[2Jhere·31m\x1b[0m\n');
  const plain = screen();
  writeLine(plain, 'busy', 'bad');
  assert.equal(plain.text, 'busy\n');
});
