import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliasCommand, aliasHelp } from '../../src/cli/alias.ts';
import type { AliasStore } from '../../src/ports.ts';
import { withDatabase } from '../support/postgres.ts';

async function run(args: string, aliases?: AliasStore): Promise<string> {
  let output = '';
  const write = (text: string): void => {
    output += text;
  };
  const openDatabase = async () => ({ aliases: aliases ?? assert.fail(), close: async () => undefined });
  const context = { openDatabase, defaultDomain: 'example.com', write, writeError: write };
  const status = await aliasCommand(args.split(' '), context);
  return `${status} ${output}`;
}

test('viaduct alias: add, list, change and remove', async () => {
  await withDatabase({ kind: 'server' }, async ({ aliases }) => {
    assert.match(await run('list', aliases), /^0 There are none yet/);
    assert.equal(await run('add 0049* +49*', aliases), '0 0049*@example.com stands for +49*.\n');
    await run('add +4930123?? bob', aliases);
    await run('add +4930123?? alice', aliases);
    await run('add m\u00fcller@Other.Example sip:m@192.0.2.1', aliases);
    assert.equal(
      await run('list', aliases),
      [
        '0 name        domain         stands for',
        '+4930123??  example.com    alice',
        '0049*       example.com    +49*',
        'm\u00fcller      other.example  sip:m@192.0.2.1',
        '',
      ].join('\n'),
    );
    assert.equal(await run('remove 0049*', aliases), '0 Removed 0049*@example.com.\n');
    assert.match(await run('remove 0049*', aliases), /^1 There is no alias/);
  });
});

test('viaduct alias: what it does not understand is said before the database is opened', async () => {
  assert.equal(await run('help'), `0 ${aliasHelp}`);
  assert.match(
    await run('add 0049*'),
    /^2 alias add takes a pattern and what it stands for\.\nHow it is used: npx viaduct help alias\n$/,
  );
  assert.match(await run('add'), /^2 Which name or number\? It is missing\./);
  assert.match(await run('frob'), /^2 There is no command "alias frob"/);
  assert.match(await run('add 0049* sip:'), /^2 "sip:" is neither/);
  assert.match(await run('add a<b alice'), /^1 A pattern looks like/);
});
