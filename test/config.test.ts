import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { servedDomains } from '../src/config/served-domains.ts';
import { misspeltSettings, readSettings, settingsHelp } from '../src/config.ts';
import { Failure } from '../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'viaduct-config-'));
after(() => rmSync(folder, { recursive: true }));

const read = (env: Record<string, string>, asRoot = false) => readSettings(env, { folder, asRoot });

function refusal(env: Record<string, string>): string {
  try {
    read(env);
  } catch (thrown) {
    assert.ok(thrown instanceof Failure);
    assert.equal(thrown.code, 'setting-invalid');
    return thrown.detail;
  }
  return assert.fail(`accepted: ${JSON.stringify(env)}`);
}

describe('settings without an environment', () => {
  test('all listeners and the pages are on loopback', () => {
    const settings = read({});
    assert.deepEqual(
      settings.listen.map((entry) => entry.text),
      ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060', 'tls:127.0.0.1:5061', 'ws:127.0.0.1:8080', 'wss:127.0.0.1:8443'],
    );
    assert.deepEqual(settings.http, { host: '127.0.0.1', port: 8081 });
  });

  test('nothing is open: no trusted network, no foreign callers, no token', () => {
    const { trusted, acceptForeign, apiToken, tokenSecrets } = read({});
    assert.deepEqual(
      { trusted, acceptForeign, apiToken, tokenSecrets },
      {
        trusted: [],
        acceptForeign: false,
        apiToken: undefined,
        tokenSecrets: [],
      },
    );
  });

  test('RFC 3261 §16.6 step 11: timer C is longer than three minutes', () => {
    assert.ok(read({}).timerCSeconds > 180);
  });

  test('data is kept in the project folder, as root in /var/lib/viaduct', () => {
    assert.equal(read({}).dataDir, join(folder, 'data'));
    assert.equal(read({}, true).dataDir, '/var/lib/viaduct');
    assert.equal(read({ DATA_DIR: 'elsewhere' }, true).dataDir, join(folder, 'elsewhere'));
  });
});

describe('NODE_ADDRESS', () => {
  const shared = {
    DATABASE_URL: 'postgres://u:p@10.0.0.9/viaduct',
    TOKEN_SECRET: 'ab'.repeat(32),
    DOMAINS: 'example.com',
    RTPENGINE: 'udp:10.0.0.8:22222',
  };
  const listen = { LISTEN: 'udp:0.0.0.0:5060 tcp:10.0.0.5:5060 ws:0.0.0.0:8080' };

  test('is where other nodes reach this one: an entry of LISTEN, or an address of a wildcard', () => {
    assert.equal(read({}).nodeAddress, undefined);
    const address = (text: string) => read({ ...shared, ...listen, NODE_ADDRESS: text }).nodeAddress;
    assert.deepEqual(address('tcp:10.0.0.5:5060'), { transport: 'tcp', host: '10.0.0.5', port: 5060 });
    assert.deepEqual(address('UDP:10.0.0.5:5060'), { transport: 'udp', host: '10.0.0.5', port: 5060 });
  });

  for (const [text, reason] of [
    ['ws:10.0.0.5:8080', /none of udp, tcp, tls/],
    ['tcp:10.0.0.5', /does not read host:port/],
    ['tcp:node-a:5060', /no numeric address/],
    ['udp:0.0.0.0:5060', /others cannot reach/],
    ['udp:10.0.0.5:0', /port 0/],
    ['udp:10.0.0.5:5070', /LISTEN has no entry/],
    ['tcp:10.0.0.6:5060', /LISTEN has no entry/],
    ['udp:[fd00::1]:5060', /LISTEN has no entry/],
  ] as const) {
    test(`refuses "${text}"`, () => {
      const detail = refusal({ ...shared, ...listen, NODE_ADDRESS: text });
      assert.match(detail, reason);
      assert.match(detail, /^NODE_ADDRESS=/);
    });
  }

  for (const name of ['DATABASE_URL', 'TOKEN_SECRET', 'DOMAINS', 'RTPENGINE'] as const) {
    test(`needs ${name}, which nodes share`, () => {
      const detail = refusal({ ...shared, ...listen, [name]: '', NODE_ADDRESS: 'tcp:10.0.0.5:5060' });
      assert.match(detail, new RegExp(`then ${name} must be set, the same on all nodes`));
    });
  }
});

describe('LISTEN', () => {
  const listen = (text: string) => read({ LISTEN: text }).listen;

  test('entries are separated by white space, IPv6 stands in brackets', () => {
    const entries = listen(' udp:0.0.0.0:5060\n tcp:[::]:0 WSS:[fd00::1]:8443 ');
    assert.deepEqual(
      entries.map(({ transport, host, port }) => [transport, host, port]),
      [
        ['udp', '0.0.0.0', 5060],
        ['tcp', '::', 0],
        ['wss', 'fd00::1', 8443],
      ],
    );
  });

  test('an "advertise host:port" binds to the entry before it', () => {
    const entries = listen(
      'udp:0.0.0.0:5060 advertise sip.example.com:15060 tcp:0.0.0.0:5060 advertise [2001:db8::1] tls:0.0.0.0:5061',
    );
    assert.deepEqual(
      entries.map((entry) => entry.advertise),
      [{ host: 'sip.example.com', port: 15060 }, { host: '[2001:db8::1]', port: undefined }, undefined],
    );
    assert.equal(entries[0]?.text, 'udp:0.0.0.0:5060');
  });

  test('an advertised IPv6 address may have a port', () => {
    assert.deepEqual(listen('udp:[::]:5060 advertise [2001:db8::1]:5080')[0]?.advertise, {
      host: '[2001:db8::1]',
      port: 5080,
    });
  });

  test('the same address takes UDP and one of the stream transports on one port', () => {
    assert.equal(listen('udp:127.0.0.1:5060 tcp:127.0.0.1:5060').length, 2);
    assert.match(refusal({ LISTEN: 'tcp:127.0.0.1:5060 ws:127.0.0.1:5060' }), /want the same port/);
    assert.equal(listen('udp:127.0.0.1:0 udp:127.0.0.1:0').length, 2);
  });

  for (const [text, reason] of [
    ['sctp:0.0.0.0:5060', /begins with none of udp, tcp, tls, ws, wss/],
    ['udp:0.0.0.0', /does not read host:port/],
    ['udp:0.0.0.0:70000', /whole number from 0 to 65535/],
    ['udp:::1:5060', /IPv6 address stands in brackets/],
    ['udp:example.com:5060', /no numeric address/],
    ['udp:0.0.0.0:5060 advertise', /needs an address/],
    ['udp:0.0.0.0:5060 advertise a_b!c', /neither an address nor a host name/],
    ['udp:0.0.0.0:5060 advertise 1.2.3.4:0', /advertises port 0/],
  ] as const) {
    test(`refuses "${text}", with name, value and a good example`, () => {
      const detail = refusal({ LISTEN: text });
      assert.match(detail, reason);
      assert.ok(detail.startsWith(`LISTEN="${text}": `), detail);
      assert.match(detail, /; for example LISTEN="udp:0\.0\.0\.0:5060 /);
    });
  }
});

describe('the other settings', () => {
  test('take the examples of the documentation', () => {
    const settings = read({
      DOMAINS: 'Example.com sip.example.com [2001:db8::1]',
      ADVERTISE: '203.0.113.7',
      DATABASE_URL: 'postgres://user:pass@host/db',
      RTPENGINE: 'udp:10.0.0.5:22222=2 TCP:[fd00::6]:22222',
      MEDIA_ADDRESS: '10.0.0.5!203.0.113.7',
      TRUSTED: '10.1.0.0/16 127.0.0.1 fd00::/8',
      ACCEPT_FOREIGN: 'yes',
      HTTP: '[::1]:0',
      DEMO_USERS: 'alice:secret,bob:se:cret',
      LOG_LEVEL: 'Debug',
      GRACE_SECONDS: '3',
    });
    assert.deepEqual(settings.domains, ['example.com', 'sip.example.com', '[2001:db8::1]']);
    assert.equal(settings.advertise, '203.0.113.7');
    assert.deepEqual(settings.rtpengine, [
      { address: 'udp:10.0.0.5:22222', host: '10.0.0.5', port: 22222, weight: 2 },
      { address: 'tcp:[fd00::6]:22222', host: 'fd00::6', port: 22222, weight: 1 },
    ]);
    assert.deepEqual(settings.mediaAddress, { local: '10.0.0.5', advertised: '203.0.113.7' });
    assert.deepEqual(settings.trusted, ['10.1.0.0/16', '127.0.0.1', 'fd00::/8']);
    assert.equal(settings.acceptForeign, true);
    assert.deepEqual(settings.http, { host: '::1', port: 0 });
    assert.deepEqual(settings.demoUsers, [
      { username: 'alice', password: 'secret' },
      { username: 'bob', password: 'se:cret' },
    ]);
    assert.equal(settings.logLevel, 'debug');
    assert.equal(settings.graceSeconds, 3);
  });

  test('TOKEN_SECRET takes one secret, or the new one and the old one', () => {
    const [a, b] = ['0a'.repeat(32), 'FF'.repeat(32)];
    assert.deepEqual(read({ TOKEN_SECRET: `${a} ${b}` }).tokenSecrets, [a, b.toLowerCase()]);
    assert.match(refusal({ TOKEN_SECRET: `${a} ${b} ${a}` }), /more than two/);
  });

  for (const [name, text] of [
    ['DOMAINS', 'exa mple!.com'],
    ['ADVERTISE', 'a b'],
    ['DATABASE_URL', 'mysql://user:pass@host/db'],
    ['RTPENGINE', '10.0.0.5:22222'],
    ['RTPENGINE', 'udp:10.0.0.5:22222=x'],
    ['MEDIA_ADDRESS', 'eth0'],
    ['TRUSTED', '10.0.0.0/33'],
    ['TRUSTED', '10.0.0.0/'],
    ['ACCEPT_FOREIGN', 'perhaps'],
    ['HTTP', '8081'],
    ['API_TOKEN', 'two words'],
    ['TOKEN_SECRET', 'abc'],
    ['VAPID_KEY', 'abc'],
    ['PUSH_SERVICES', 'https://push.example.net/'],
    ['PUSH_SECONDS', '3m'],
    ['JWT_KEYS', 'http://id.example.com/jwks.json'],
    ['JWT_KEYS', 'ftp://id.example.com/jwks.json'],
    ['JWT_ISSUER', 'größer'],
    ['DEMO_USERS', 'alice'],
    ['LOG_LEVEL', 'loud'],
    ['GRACE_SECONDS', '-1'],
    ['GROUP_MS', '5ms'],
  ] as const) {
    test(`refuses ${name}="${text}"`, () => {
      const detail = refusal({ [name]: text });
      assert.ok(detail.startsWith(`${name}=`), detail);
      assert.match(detail, /; for example /);
    });
  }

  test('a secret that is wrong is not repeated in the message', () => {
    for (const env of [
      { DATABASE_URL: 'mysql://user:hunter2@host/db' },
      { API_TOKEN: 'hunter2 hunter2' },
      { TOKEN_SECRET: 'hunter2' },
      { DEMO_USERS: ':hunter2' },
      { JWT_KEYS: 'https://me:hunter2@id.example.com/' },
    ]) {
      assert.doesNotMatch(refusal(env), /hunter2/);
    }
  });

  test('JWT_KEYS is an https URL, http on this host alone, or a file; issuer and audience belong to it', () => {
    const both = { JWT_ISSUER: 'https://id.example.com/', JWT_AUDIENCE: 'sip shop' };
    const keys = (text: string) => read({ ...both, JWT_KEYS: text }).jwtKeys;
    assert.equal(keys('https://id.example.com/jwks'), 'https://id.example.com/jwks');
    assert.equal(keys('http://127.0.0.1:9000/jwks'), 'http://127.0.0.1:9000/jwks');
    assert.equal(keys('http://[::1]:9000/jwks'), 'http://[::1]:9000/jwks');
    assert.equal(keys('keys.json'), join(folder, 'keys.json'));
    const { jwtIssuer, jwtAudiences, jwtClaim } = read({ ...both, JWT_KEYS: 'keys.json' });
    assert.deepEqual([jwtIssuer, jwtAudiences, jwtClaim], ['https://id.example.com/', ['sip', 'shop'], 'sub']);
    assert.equal(read({}).jwtKeys, undefined);
    assert.match(refusal(both), /^JWT_KEYS="": JWT_KEYS, JWT_ISSUER and JWT_AUDIENCE are set together/);
    assert.match(
      refusal({ JWT_KEYS: 'keys.json', JWT_ISSUER: 'x' }),
      /^JWT_AUDIENCE="": .*; for example JWT_AUDIENCE=/,
    );
    assert.match(refusal({ JWT_KEYS: 'keys.json', JWT_AUDIENCE: 'x' }), /^JWT_ISSUER="": /);
  });

  test('REST where others can reach it needs a token', () => {
    assert.match(refusal({ HTTP: '0.0.0.0:8081' }), /^API_TOKEN="": HTTP is on 0\.0\.0\.0/);
    assert.equal(read({ HTTP: '0.0.0.0:8081', API_TOKEN: 't0ken' }).apiToken, 't0ken');
  });
});

describe('.env', () => {
  test('is read, the environment wins, and an empty value means unset', () => {
    writeFileSync(join(folder, '.env'), 'LOG_LEVEL=warn\nGROUP_MS=7 # comment\nGRACE_SECONDS=\n');
    const settings = read({ LOG_LEVEL: 'error', GROUP_MS: '' });
    assert.equal(settings.logLevel, 'error');
    assert.equal(settings.groupMs, 7);
    assert.equal(settings.graceSeconds, 10);
    rmSync(join(folder, '.env'));
  });

  test('a bad value in it is refused like one of the environment', () => {
    writeFileSync(join(folder, '.env'), 'GROUP_MS=soon\n');
    assert.match(refusal({}), /^GROUP_MS="soon"/);
    rmSync(join(folder, '.env'));
  });
});

test('what is nearly the name of a setting was meant to be one; what belongs to others is left alone', () => {
  const env = { MAX_CALL: '3', LISTENS: '', TRUSTD: 'x', TRYNG_SECOND: '1', PATH: '/', HTTPS: 'on', LISTEN_FDS: '1' };
  assert.deepEqual(misspeltSettings({ ...env, MAX_CALLS: '2', NODE_OPTIONS: '' }, { folder, asRoot: false }), [
    { name: 'MAX_CALL', meant: 'MAX_CALLS' },
    { name: 'LISTENS', meant: 'LISTEN' },
    { name: 'TRUSTD', meant: 'TRUSTED' },
    { name: 'TRYNG_SECOND', meant: 'TRYING_SECONDS' },
  ]);
});

test('the help names every setting with unit, default and example', () => {
  const help = settingsHelp();
  for (const name of ['DOMAINS', 'LISTEN', 'API_TOKEN', 'TOKEN_SECRET', 'LOG_LEVEL', 'TIMER_C_SECONDS']) {
    assert.match(help, new RegExp(`^${name} \\(.+\\)\\n +.+\\n +default: .+\\n +example: .+$`, 'm'));
  }
});

describe('the domains served', () => {
  const served = (env: Record<string, string>) => servedDomains(read(env), () => ['127.0.0.1', '10.0.0.5', 'fd00::5']);

  test('are those of DOMAINS, the first one first', () => {
    assert.deepEqual(served({ DOMAINS: 'example.com example.org' }), ['example.com', 'example.org']);
  });

  test('without DOMAINS, are the advertised and the listening addresses, each once', () => {
    assert.deepEqual(served({}), ['127.0.0.1']);
    assert.deepEqual(served({ ADVERTISE: '203.0.113.7' }), ['203.0.113.7', '127.0.0.1']);
    assert.deepEqual(served({ LISTEN: 'udp:[::1]:5060 advertise sip.example.com tcp:10.0.0.5:5060' }), [
      'sip.example.com',
      '[::1]',
      '10.0.0.5',
    ]);
  });

  test('a wildcard stands for the addresses of this host, loopback last', () => {
    assert.deepEqual(served({ LISTEN: 'udp:0.0.0.0:5060' }), ['10.0.0.5', '[fd00::5]', '127.0.0.1']);
  });
});
