import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { createLog } from '../../src/adapters/log.ts';
import { Failure } from '../../src/errors.ts';
import type { Log, LogLevel } from '../../src/ports.ts';
import { settle } from '../support/clock.ts';

interface Written {
  readonly log: Log;
  /** What has come out, as lines of UTF-8. */
  lines(): Promise<readonly string[]>;
}

function create(isTTY: boolean, level: LogLevel = 'info'): Written {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const log = createLog({ level, out: Object.assign(stream, { isTTY }) });
  const lines = async (): Promise<readonly string[]> => {
    await settle();
    return Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1);
  };
  return { log, lines };
}

async function entries(written: Written): Promise<readonly object[]> {
  return (await written.lines()).map((line): object => JSON.parse(line));
}

/** Text as it is inside of the proxy: a character for each byte of its UTF-8. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('for machines: JSON lines', () => {
  test('an entry is one line, with level in words, time, text and fields', async () => {
    const written = create(false);
    written.log.warn({ callId: 'call-1', node: { id: 'm1' } }, 'rtpengine does not answer');
    const [entry, ...others] = await entries(written);
    assert.deepEqual(others, []);
    const { time, ...rest } = { time: 0, ...entry };
    assert.deepEqual(rest, {
      level: 'warn',
      callId: 'call-1',
      node: { id: 'm1' },
      msg: 'rtpengine does not answer',
    });
    assert.ok(Math.abs(time - Date.now()) < 60_000);
  });

  test('what is below the level is left out', async () => {
    const written = create(false, 'warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) written.log[level]({}, level);
    assert.deepEqual(
      (await entries(written)).map((entry) => ('msg' in entry ? entry.msg : '')),
      ['warn', 'error'],
    );
  });

  test('text with line ends or control characters stays in its line', async () => {
    const written = create(false);
    written.log.info({ agent: 'a\r\nb\x1b[2J' }, 'one\ntwo');
    assert.equal((await written.lines()).length, 1);
  });

  test('DESIGN §3 Text: bytes that are UTF-8 come out as UTF-8, in text and fields', async () => {
    const written = create(false);
    written.log.info({ user: latin1('José Ωmega 😀') }, latin1('No account for José.'));
    const [entry] = await entries(written);
    assert.deepEqual({ user: '', msg: '', ...entry }.user, 'José Ωmega 😀');
    assert.deepEqual({ user: '', msg: '', ...entry }.msg, 'No account for José.');
  });

  test('DESIGN §3 Text: bytes that are not UTF-8, and texts of our own, stay what they are', async () => {
    const written = create(false);
    const texts = { bytes: 'Jos\xe9', ours: 'loser’s', plain: 'alice', mixed: `${latin1('é')}’` };
    written.log.info(texts, 'text');
    const [entry] = await entries(written);
    assert.deepEqual({ ...texts, ...entry }, { ...entry, ...texts });
  });
});

describe('at a terminal', () => {
  test('an entry is one readable line: time, level, text, fields', async () => {
    const written = create(true);
    written.log.info({ rtpengine: 'udp:127.0.0.1:22222', ports: { used: 4 }, tries: 3 }, 'rtpengine answers');
    const [line = '', ...others] = await written.lines();
    assert.deepEqual(others, []);
    assert.match(
      line,
      /^\d\d:\d\d:\d\d info {2}rtpengine answers rtpengine=udp:127\.0\.0\.1:22222 ports=\{"used":4\} tries=3$/,
    );
  });

  test('many entries at once are as many lines, in their order', async () => {
    const written = create(true);
    for (let index = 0; index < 100; index++) written.log.info({}, `entry ${index}`);
    const lines = await written.lines();
    assert.deepEqual(
      lines.map((line) => line.slice(15)),
      Array.from({ length: 100 }, (_, index) => `entry ${index}`),
    );
  });

  test('law 9: what came from the network cannot steer the terminal, or look like a line of ours', async () => {
    const written = create(true);
    written.log.warn({ agent: '\x1b[2J\x1b]0;x\x07', next: 'a\r\n12:00:00 error made up' }, 'bad\x1b[31m \x9b31m');
    const lines = await written.lines();
    assert.equal(lines.length, 1);
    assert.doesNotMatch(lines.join(), /[\x00-\x1f\x7f-\x9f]/);
    assert.match(lines.join(), /made up/);
  });

  test('a stack stands below its entry, line by line', async () => {
    const written = create(true);
    const { stack = '' } = new Error('a bug');
    written.log.error({ callId: 'call-1', stack }, 'A fault of Viaduct');
    const [first = '', second = '', third = ''] = await written.lines();
    assert.match(first, /^\d\d:\d\d:\d\d error A fault of Viaduct callId=call-1$/);
    assert.match(second, /^ +Error: a bug$/);
    assert.match(third, /^ +at /);
  });

  test('DESIGN §3 Text: UTF-8 is readable', async () => {
    const written = create(true);
    const failure = new Failure('wrong-identity', latin1('José'));
    written.log.warn({ user: latin1('Ωmega') }, failure.message);
    assert.match((await written.lines()).join(), /José user=Ωmega$/);
  });
});
