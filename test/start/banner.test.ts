import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors, Failure } from '../../src/errors.ts';
import { banner, notStarted, type Started } from '../../src/start/banner.ts';
import { listenerOf } from '../support/fake-proxy.ts';

const started: Started = {
  version: '1.2.3',
  http: { host: '127.0.0.1', port: 8081 },
  listeners: [
    listenerOf('udp', 0, '127.0.0.1', 5060),
    listenerOf('tcp', 1, '127.0.0.1', 5060),
    listenerOf('wss', 2, '127.0.0.1', 8443),
  ],
  domain: '127.0.0.1',
  demo: [
    { username: 'alice', password: 'one' },
    { username: 'bob', password: 'two' },
  ],
  database: 'PostgreSQL 15.18 in ./data',
  rtpengine: ['udp:127.0.0.1:22222'],
  findings: [],
};

const lines = (change: Partial<Started> = {}): readonly string[] => banner({ ...started, ...change }).split('\n');

test('the first start says where to go, with which accounts, and how to register a softphone', () => {
  assert.deepEqual(lines(), [
    '',
    'Viaduct 1.2.3 is up.',
    '',
    '  Console      http://127.0.0.1:8081/',
    '  Phone page   http://127.0.0.1:8081/phone',
    '               https://127.0.0.1:8443/phone (over TLS)',
    '  SIP          udp 127.0.0.1:5060',
    '               tcp 127.0.0.1:5060',
    '               wss 127.0.0.1:8443',
    '  Domain       127.0.0.1',
    '  Database     PostgreSQL 15.18 in ./data',
    '  Media        rtpengine udp:127.0.0.1:22222',
    '  Doctor       all is well',
    '',
    'Accounts to try:',
    '  alice        password one',
    '  bob          password two',
    '',
    'Sign in on the phone page as alice, register a softphone as bob, and dial bob:',
    '  baresip      this line into ~/.baresip/accounts, and run baresip:',
    '               <sip:bob@127.0.0.1>;auth_pass=two;outbound="sip:127.0.0.1:5060"',
    '  Linphone     username bob, domain 127.0.0.1, proxy sip:127.0.0.1:5060, transport UDP',
    '',
    'Ctrl-C stops it and all it has started.',
    '',
    '',
  ]);
});

test('what keeps it from starting is said in lines: what, its particulars, what to do', () => {
  assert.equal(
    notStarted(new Failure('setting-invalid', 'LISTEN="foo": no.')),
    [
      '',
      'Viaduct did not start. A setting has a value that Viaduct cannot use.',
      '  LISTEN="foo": no.',
      `${errors['setting-invalid'].nextStep}`,
      '',
    ].join('\n'),
  );
  assert.equal(notStarted(new Failure('media-none')).split('\n').length, 4);
});

test('the TLS page is for other devices where those can reach it: a browser opens no microphone without TLS', () => {
  const text = lines({ listeners: [listenerOf('wss', 0, '192.0.2.100', 8443)] });
  assert.ok(text.includes('               https://192.0.2.100:8443/phone (for other devices)'));
});

test('without accounts to try it says how to make one', () => {
  const text = lines({ demo: [] });
  assert.ok(text.includes('An account: npx viaduct user add NAME'));
  assert.ok(!text.some((line) => line.includes('softphone')));
});

test('without rtpengine it says what to run', () => {
  const [media = ''] = lines({ rtpengine: [] }).filter((line) => line.includes('Media'));
  assert.match(media, /calls are refused until you run `apt-get install rtpengine-daemon` and start again/);
});

test('IPv6 addresses stand in brackets', () => {
  const text = lines({ http: { host: '::1', port: 8081 }, listeners: [listenerOf('udp', 0, '::1', 5060)] });
  assert.ok(text.includes('  Phone page   http://[::1]:8081/phone'));
  assert.ok(text.includes('  SIP          udp [::1]:5060'));
});

test('one account is enough for the softphone; without a UDP listener none is explained', () => {
  const one = lines({ demo: [{ username: 'carol', password: 'three' }] });
  assert.ok(one.some((line) => line.startsWith('               <sip:carol@')));
  const noUdp = lines({ listeners: [listenerOf('wss', 0, '127.0.0.1', 8443)] });
  assert.ok(!noUdp.some((line) => line.includes('baresip')));
});

test('what the doctor found: errors first, then warnings, and where the cures are', () => {
  const one = (level: 'ok' | 'notice' | 'warning' | 'error', says: string) => ({ check: 'x', level, says, cure: '' });
  const findings = [one('ok', 'Fine.'), one('warning', 'No name.'), one('error', 'No database.'), one('notice', 'Hm.')];
  assert.deepEqual(
    lines({ findings }).filter((line) => /Doctor|^ {15}(error|warning|The cure)/.test(line)),
    [
      '  Doctor       error: No database.',
      '               warning: No name.',
      '               The cure: npx viaduct doctor',
    ],
  );
  assert.ok(lines({ findings: undefined }).includes('  Doctor       still looks: npx viaduct doctor'));
});
