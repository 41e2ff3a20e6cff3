import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { dialFault, handshakeFault } from '../../../src/adapters/network/tls-alerts.ts';
import { certificateSource } from '../../../src/adapters/network/tls-source.ts';
import type { Log, SocketAddress } from '../../../src/ports.ts';
import { certificateOf, testCertificates } from './certificates.ts';
import { eventually, open } from './support.ts';

const certificates = testCertificates({ ours: ['localhost', '127.0.0.1'] });

interface Line {
  readonly fault: unknown;
  readonly words: unknown;
}

/** A TLS listener, and what its log says about handshakes. */
async function listening(t: TestContext): Promise<{ to: SocketAddress; lines: Line[]; failed: () => number }> {
  const lines: Line[] = [];
  const info = (about: object): void => {
    if ('fault' in about && 'words' in about) lines.push({ fault: about.fault, words: about.words });
  };
  const log: Log = { debug: () => undefined, info, warn: () => undefined, error: () => undefined };
  const tls = certificateSource(certificateOf(certificates, 'ours'));
  const { network, listener } = await open(t, ['tls:127.0.0.1:0'], { tls, log });
  return { to: listener.local, lines, failed: () => network.statistics().dropped['tls-handshake'] ?? 0 };
}

async function dial(t: TestContext, { address, port }: SocketAddress): Promise<Socket> {
  const socket = connectTcp({ host: address, port });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** The first bytes of a client that speaks TLS 1.2, where an alert may follow in the clear. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer) => resolve(chunk),
    });
    connect({ socket, maxVersion: 'TLSv1.2' }).on('error', () => undefined);
  });
}

const fatal = 2;

for (const [number, name, words] of [
  [40, 'handshake_failure', /no cipher or version in common/],
  [42, 'bad_certificate', /refuses our certificate as broken or untrusted; import DATA_DIR\/tls\/ca\.pem/],
  [45, 'certificate_expired', /our certificate has run out, or the clock of the client is wrong/],
  [46, 'certificate_unknown', /untrusted, or for another name/],
  [48, 'unknown_ca', /the client does not trust our certificate; import DATA_DIR\/tls\/ca\.pem on the client/],
  [70, 'protocol_version', /does not speak our TLS versions; see method in tls\.cfg/],
] as const) {
  test(`RFC 8446 §6.2: alert ${number} of a client is logged as ${name}, in words`, async (t) => {
    const { to, lines } = await listening(t);
    const socket = await dial(t, to);
    socket.write(await clientHello());
    await once(socket, 'data');
    socket.write(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, fatal, number]));
    await eventually(() => lines.length === 1, 'the alert is logged');
    assert.equal(lines[0]?.fault, name);
    assert.match(String(lines[0]?.words), words);
  });
}

for (const [text, name, words] of [
  ['REGISTER sip:example.com SIP/2.0\r\n', 'not_tls', /not TLS, perhaps plain SIP; set wss:.*transport tls/],
  ['GET / HTTP/1.1\r\nHost: example.com\r\n', 'plain_http', /a plain HTTP or SIP request came on a TLS port/],
  ['CONNECT example.org:25 HTTP/1.1\r\n', 'plain_http', /takes this port for an HTTP proxy/],
] as const) {
  test(`${text.split(' ', 1)[0]} without TLS on a TLS port is named as such`, async (t) => {
    const { to, lines } = await listening(t);
    const socket = await dial(t, to);
    socket.write(text);
    await eventually(() => lines.length === 1, 'it is logged');
    assert.equal(lines[0]?.fault, name);
    assert.match(String(lines[0]?.words), words);
  });
}

test('a client of TLS 1.1, one without a common cipher and one that hangs up are told apart', async (t) => {
  const { to, lines, failed } = await listening(t);
  const base = { host: to.address, port: to.port, rejectUnauthorized: false };
  for (const options of [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
  ] as const) {
    const socket = connect({ ...base, ...options });
    t.after(() => socket.destroy());
    await once(socket, 'error').catch(() => undefined);
  }
  (await dial(t, to)).end(await clientHello());
  await eventually(() => failed() === 3, 'all three are counted');
  assert.deepEqual(
    lines.map(({ fault }) => fault),
    ['old_version', 'no_shared_cipher', 'hung_up'],
  );
});

test('a flood of one fault is told once, and does not hide another', async (t) => {
  const { to, lines, failed } = await listening(t);
  for (let at = 0; at < 5; at += 1) (await dial(t, to)).write('REGISTER sip:example.com SIP/2.0\r\n');
  await eventually(() => failed() === 5, 'the scanner is counted');
  const socket = await dial(t, to);
  socket.write(await clientHello());
  await once(socket, 'data');
  socket.write(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, fatal, 48]));
  await eventually(() => failed() === 6, 'the browser is counted');
  assert.deepEqual(
    lines.map(({ fault }) => fault),
    ['not_tls', 'unknown_ca'],
  );
});

test('what is not known keeps the words of OpenSSL, without its addresses', () => {
  const error = Object.assign(new Error('40AB:error:0A0000F4:SSL routines::unexpected message:x.c:855:'), {
    code: 'ERR_SSL_UNEXPECTED_MESSAGE',
    reason: 'unexpected message',
  });
  assert.deepEqual(handshakeFault(error), { name: 'other', words: 'unexpected message' });
});

test('RFC 8446 §6.2: what a server says about us is told from our side, and what is not about TLS is left alone', () => {
  const failed = (code: string, message = code) => dialFault(Object.assign(new Error(message), { code }));
  const alert = failed(
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'tlsv13 alert certificate required:SSL alert number 116',
  );
  assert.equal(alert?.name, 'certificate_required');
  assert.match(alert.words, /it wants a certificate of us; put certificate and private_key into a \[client:/);
  assert.equal(failed('CERT_REVOKED')?.name, 'revoked');
  assert.equal(failed('ECONNREFUSED'), undefined);
});
