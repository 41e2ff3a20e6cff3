import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { hashes } from '../../src/adapters/postgres/subscriber-store.ts';
import { generatePassword, PasswordNotGiven, passwordInput } from '../../src/cli/password.ts';
import { table } from '../../src/cli/table.ts';
import { type UserCommandContext, type UserDatabase, userCommand, userHelp } from '../../src/cli/user.ts';
import { openUserDatabase } from '../../src/cli/user-database.ts';
import { Failure } from '../../src/errors.ts';
import { settle } from '../support/clock.ts';
import { serverKinds, silentLog, sql, withDatabase, withFolder } from '../support/postgres.ts';

interface Run {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs one command as the entry would. */
async function run(args: string, context: Partial<UserCommandContext> = {}): Promise<Run> {
  let output = '';
  let errors = '';
  const status = await userCommand(args === '' ? [] : args.split(' '), {
    openDatabase: () => assert.fail('the database was opened'),
    passwords: { obtain: () => assert.fail('a password was asked for') },
    shutRunning: async () => false,
    removeRunning: async () => false,
    defaultDomain: 'example.com',
    isServed: (domain) => domain === 'example.com',
    ...context,
    write: (text) => {
      output += text;
    },
    writeError: (text) => {
      errors += text;
    },
  });
  return { status, output, errors };
}

const borrowed = ({ subscribers }: Pick<UserDatabase, 'subscribers'>) => ({
  openDatabase: async () => ({ subscribers, close: async () => undefined }),
});

for (const kind of serverKinds) {
  describe(`viaduct user, ${kind}`, () => {
    test('viaduct user: add, list, password and remove, with exit code 0', async () => {
      await withDatabase({ kind }, async (database, connection) => {
        const context = borrowed(database);
        assert.deepEqual(await run('add alice --password secret', context), {
          status: 0,
          output: 'Added alice@example.com.\n',
          errors: '',
        });
        assert.deepEqual(await run('add bob@Other.Example --password x', context), {
          status: 0,
          output:
            'Added bob@other.example.\n' +
            'other.example is not served here: nobody logs in as bob@other.example until it is in DOMAINS.\n',
          errors: '',
        });
        const stored = await database.subscribers.find('alice', 'example.com');
        assert.deepEqual([stored?.ha1Md5, stored?.ha1Sha256], hashes('alice', 'example.com', 'secret'));

        await sql(
          connection,
          `UPDATE subscriber SET created_at = '2026-01-02 03:04Z', updated_at = '2026-02-03 04:05Z'`,
        );
        assert.equal(
          (await run('list', context)).output,
          [
            'name   domain         added (UTC)       password set',
            'alice  example.com    2026-01-02 03:04  2026-02-03 04:05',
            'bob    other.example  2026-01-02 03:04  2026-02-03 04:05',
            '',
          ].join('\n'),
        );

        assert.equal((await run('password alice --password new', context)).status, 0);
        assert.equal(
          (await database.subscribers.find('alice', 'example.com'))?.ha1Md5,
          hashes('alice', 'example.com', 'new')[0],
        );
        assert.equal((await run('remove alice', context)).status, 0);
        assert.equal(await database.subscribers.find('alice', 'example.com'), undefined);
      });
    });

    test('viaduct user: what is not done is said, with exit code 1, and changes nothing', async () => {
      await withDatabase({ kind }, async (database) => {
        const context = borrowed(database);
        assert.match((await run('list', context)).output, /no accounts yet.*user add/);
        await run('add alice --password first', context);
        const again = await run('add alice --password second', context);
        assert.deepEqual(again, { status: 1, output: '', errors: 'alice@example.com is there already.\n' });
        assert.equal(
          (await database.subscribers.find('alice', 'example.com'))?.ha1Md5,
          hashes('alice', 'example.com', 'first')[0],
        );
        for (const command of ['remove bob', 'password bob --password x']) {
          const { status, errors } = await run(command, context);
          assert.equal(status, 1);
          assert.match(errors, /no account bob@example\.com/);
        }
      });
    });

    test('viaduct user: a generated password is shown once and is the one that is stored', async () => {
      await withDatabase({ kind }, async (database) => {
        const { output } = await run('add alice --generate', borrowed(database));
        const password = /^Password: (\S{16})$/m.exec(output)?.[1] ?? '';
        const stored = await database.subscribers.find('alice', 'example.com');
        assert.equal(stored?.ha1Sha256, hashes('alice', 'example.com', password)[1]);
      });
    });

    test('viaduct user: names and passwords beyond ASCII are hashed as UTF-8, as clients do', async () => {
      await withDatabase({ kind }, async (database) => {
        await run('add jürgen --password grün', borrowed(database));
        const stored = await database.subscribers.find('j\xc3\xbcrgen', 'example.com');
        assert.equal(stored?.ha1Md5, hashes('j\xc3\xbcrgen', 'example.com', 'gr\xc3\xbcn')[0]);
        assert.match((await run('list', borrowed(database))).output, /^jürgen {2}example\.com/m);
      });
    });
  });
}

test('viaduct user: what is not understood is answered with the reason, where the help is, and exit code 2, before any database is opened', async () => {
  const wrong = {
    bogus: /There is no command "user bogus"/,
    add: /The name is missing/,
    'add alice bob': /What does "bob" mean/,
    'add a:b --password x': /"a:b" cannot be an account name/,
    'add alice@ --password x': /"" is not a domain/,
    'add alice@exa/mple --password x': /not a domain/,
    'add alice --password x --generate': /not both/,
    'list --frobnicate': /frobnicate/,
  };
  for (const [args, expected] of Object.entries(wrong)) {
    const { status, output, errors } = await run(args);
    assert.equal(status, 2, args);
    assert.equal(output, '');
    assert.match(errors, expected);
    assert.ok(errors.endsWith('How it is used: npx viaduct help user\n'), errors);
    assert.equal(errors.trimEnd().split('\n').length, 2, 'the reason stays in sight');
  }
});

test('viaduct user: help is asked for in any of the usual ways', async () => {
  for (const args of ['', 'help', '--help', 'add -h']) {
    assert.deepEqual(await run(args), { status: 0, output: userHelp, errors: '' });
  }
});

test('viaduct user: a database that is not there is explained with the next step, exit code 1, no secret', async () => {
  const openDatabase = () =>
    openUserDatabase({ databaseUrl: 'postgres://u:topsecret@127.0.0.1:1/x', dataDir: '/nonexistent', log: silentLog });
  const { status, errors } = await run('list', { openDatabase });
  assert.equal(status, 1);
  assert.match(errors, /DATABASE_URL.*does not answer[\s\S]*Check host/);
  assert.doesNotMatch(errors, /topsecret/);
});

test('viaduct user: an empty password, or one that was given up, changes nothing', async () => {
  const answers = [async () => '', async () => Promise.reject(new PasswordNotGiven('Given up.'))];
  for (const obtain of answers) {
    const { status, errors } = await run('add alice', { passwords: { obtain } });
    assert.equal(status, 1);
    assert.match(errors, /Nothing was changed/);
  }
});

test('viaduct user: the database is closed also when the command fails', async () => {
  let closed = 0;
  const refuse = async () => Promise.reject(new Failure('database-down'));
  const subscribers = {
    find: refuse,
    callee: refuse,
    addHashed: refuse,
    add: refuse,
    setPassword: refuse,
    setCalls: refuse,
    remove: refuse,
    setDisabled: refuse,
    account: refuse,
    page: refuse,
    list: refuse,
    waiting: () => 0,
    idle: async () => undefined,
  };
  const openDatabase = async () => ({
    subscribers,
    close: async () => {
      closed += 1;
    },
  });
  assert.equal((await run('list', { openDatabase })).status, 1);
  assert.equal(closed, 1);
});

test('viaduct user set: what an account wants for its calls, changed one by one; off takes it back', async () => {
  await withDatabase({ kind: 'server' }, async (database) => {
    const context = borrowed(database);
    await run('add bob --password x', context);
    const first = 'set bob --ring-time 20 --forward-busy carol --voicemail sip:bob@vm.example.net:5070';
    assert.equal((await run(first, context)).status, 0);
    const shown = await run('set bob --forward-no-answer +4930@trunk.example.net --ring-time off', context);
    assert.deepEqual(shown.output.split('\n'), [
      'bob@example.com',
      'ring-time          off',
      'forward-always     off',
      'forward-busy       sip:carol@example.com',
      'forward-no-answer  sip:+4930@trunk.example.net',
      'voicemail          sip:bob@vm.example.net:5070',
      'do-not-disturb     off',
      'calls              off',
      '',
    ]);
    await run('set bob --do-not-disturb on --voicemail off --calls 2', context);
    const calls = (await database.subscribers.find('bob', 'example.com'))?.calls;
    assert.deepEqual([calls?.doNotDisturb, calls?.voicemail, calls?.mostCalls], [true, undefined, 2]);
    assert.match((await run('set nobody --ring-time 5', context)).errors, /There is no account nobody@example\.com/);
  });
});

test('viaduct user set: what cannot be meant is refused before the database is opened', async () => {
  for (const [option, message] of [
    ['--ring-time 0', /write 1 to 180 seconds/],
    ['--ring-time soon', /write 1 to 180 seconds/],
    ['--calls 0', /write 1 to 1000/],
    ['--do-not-disturb maybe', /write on or off/],
    ['--voicemail tel:<1>', /write an address such as carol/],
    ['--forward-busy @example.com', /write an address such as carol/],
  ] as const) {
    const { status, errors } = await run(`set bob ${option}`);
    assert.equal(status, 2, option);
    assert.match(errors, message);
  }
});

test('viaduct user: without DATABASE_URL the embedded server is started for the command and ended after it', async () => {
  await withFolder(async (dataDir) => {
    const openDatabase = () => openUserDatabase({ databaseUrl: undefined, dataDir, log: silentLog });
    assert.equal((await run('add alice --password x', { openDatabase })).status, 0);
    const database = await openDatabase();
    const beside = await run('list', { openDatabase });
    assert.match(beside.output, /alice/);
    assert.equal((await database.subscribers.list()).length, 1, 'the server runs on for whoever started it');
    await database.close();
  });
});

test('password: of piped input it is the first line', async () => {
  const input = Object.assign(Readable.from([Buffer.from('gr\xc3\xbc', 'latin1'), 'n \r\nmore']), { isTTY: false });
  assert.equal(await passwordInput(input, new PassThrough()).obtain(), 'grün ');
});

/** A terminal on which `keys` are typed, one answer after the other; what it shows comes back too. */
async function typed(keys: readonly string[]): Promise<{ readonly result: string | Error; readonly shown: string }> {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough();
  const asked = passwordInput(input, output)
    .obtain()
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  for (const key of keys) {
    await settle();
    input.write(key);
  }
  const result = await asked;
  return { result, shown: String(output.read() ?? '') };
}

test('password: on a terminal it is typed twice and not shown', async () => {
  const { result, shown } = await typed(['hidden\r', 'hidden\r']);
  assert.equal(result, 'hidden');
  assert.equal(shown, 'Password: \nOnce more: \n');
});

test('password: two that differ, and Ctrl-C, are no password', async () => {
  assert.match(String((await typed(['one\r', 'two\r'])).result), /differ/);
  const { result } = await typed(['half\x03']);
  assert.ok(result instanceof PasswordNotGiven);
});

test('password: generated ones have 16 characters that cannot be mistaken, never the same twice', () => {
  const made = Array.from({ length: 200 }, generatePassword);
  assert.equal(new Set(made).size, 200);
  assert.ok(made.every((password) => /^[a-hjkmnp-z2-9]{16}$/.test(password)));
});

test('table: columns are as wide as their widest cell, counted in characters', () => {
  assert.equal(
    table(
      ['a', 'b'],
      [
        ['😀é', 'x'],
        ['longer', ''],
      ],
    ),
    'a       b\n😀é      x\nlonger\n',
  );
});

test('viaduct user disable and enable: by the Viaduct that runs, which ends its calls; else in the database', async () => {
  await withDatabase({ kind: 'server' }, async (database) => {
    const asked: string[] = [];
    const running = {
      ...borrowed(database),
      shutRunning: async (address: string, disabled: boolean) => {
        asked.push(`${address} ${disabled}`);
        return true;
      },
    };
    await run('add alice --password x', running);
    const shut = { status: 0, output: 'alice@example.com is shut.\n', errors: '' };
    assert.deepEqual(await run('disable alice', running), shut);
    assert.deepEqual(asked, ['alice@example.com true']);
    assert.notEqual(await database.subscribers.find('alice', 'example.com'), undefined, 'that was its task');
    assert.deepEqual(await run('disable alice', borrowed(database)), shut);
    assert.equal(await database.subscribers.find('alice', 'example.com'), undefined);
    assert.match((await run('list', borrowed(database))).output, /^alice \(disabled\) {2}/m);
    assert.equal((await run('enable alice', borrowed(database))).output, 'alice@example.com may log in again.\n');
    assert.notEqual(await database.subscribers.find('alice', 'example.com'), undefined);
    assert.match((await run('disable bob', running)).errors, /^There is no account bob@example.com/);
    assert.equal(asked.length, 1);
  });
});

test('viaduct user remove: by the Viaduct that runs, which forgets the devices; else in the database, and says that they stay', async () => {
  await withDatabase({ kind: 'server' }, async (database) => {
    const asked: string[] = [];
    const running = {
      ...borrowed(database),
      removeRunning: async (address: string) => {
        asked.push(address);
        return true;
      },
    };
    await run('add alice --password x', running);
    assert.deepEqual(await run('remove alice', running), {
      status: 0,
      output: 'Removed alice@example.com.\n',
      errors: '',
    });
    assert.deepEqual(asked, ['alice@example.com']);
    assert.notEqual(await database.subscribers.find('alice', 'example.com'), undefined, 'that was its task');
    assert.match((await run('remove alice', borrowed(database))).output, /^Removed alice@example.com. Devices .* stay/);
    assert.equal(await database.subscribers.find('alice', 'example.com'), undefined);
    assert.match((await run('remove alice', running)).errors, /^There is no account alice@example.com/);
    assert.equal(asked.length, 1);
  });
});
