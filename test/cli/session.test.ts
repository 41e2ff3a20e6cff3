import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askRunning } from '../../src/cli/running.ts';
import { sessionCommand } from '../../src/cli/session.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { listening, session, TOKEN } from '../adapters/http/fixture.ts';

async function run(port: number, words: string, minutes?: string): Promise<string> {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const writeError = (more: string) => write(`(error) ${more}`);
  const running = askRunning(`http://127.0.0.1:${port}`, TOKEN);
  const code = await sessionCommand(running, words.split(' '), minutes, { write, writeError });
  return `${code} ${text}`;
}

test('viaduct session: makes one and shows all that a browser needs', () =>
  listening({ apiToken: TOKEN }, async (port) => {
    const shown = await run(port, session.address, '10');
    for (const part of [session.id, 'once', 'wss://192.0.2.1:8443', session.expiresAt]) assert.ok(shown.includes(part));
    assert.equal(
      await run(port, 'nobody@example.com'),
      '1 (error) There is no account nobody@example.com, or it is disabled; `viaduct user list` shows them.\n',
    );
  }));

test('viaduct session: lists and revokes', () =>
  listening({ apiToken: TOKEN }, async (port) => {
    assert.match(await run(port, 'list'), new RegExp(`^0 id .*\n${session.id} .*alice@example.com`));
    assert.equal(await run(port, `end ${session.id}`), `0 ${session.id} has ended.\n`);
    assert.match(await run(port, `end ${session.id.replace('01', '99')}`), /^1 \(error\) There is no session/);
    assert.match(await run(port, 'end nonsense'), /^1 \(error\) There is no session nonsense/);
    for (const minutes of ['soon', '0', '1441']) {
      const words = `--minutes ${minutes}: write 1 to 1440, such as --minutes 30.`;
      await assert.rejects(run(port, 'alice', minutes), new UsageError(words));
    }
  }));
