import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Certificate, loadOrCreateCertificate } from '../../../src/adapters/network/certificate.ts';
import { Failure } from '../../../src/errors.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-21T12:00:00Z');
const names = ['example.com', '127.0.0.1', '::1', 'sip.example.com'];

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'viaduct-tls-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return join(dir, 'tls');
}

function leaf({ cert }: Certificate): X509Certificate {
  return new X509Certificate(cert);
}

test('the first start makes an authority and a server certificate with every name', async (t) => {
  const dir = await folder(t);
  const made = await loadOrCreateCertificate({ dir, names, nowMs });
  const ca = new X509Certificate(made.ca);
  const server = leaf(made);
  assert.ok(ca.ca);
  assert.ok(!server.ca);
  assert.ok(server.checkIssued(ca) && server.verify(ca.publicKey));
  assert.equal(
    server.subjectAltName,
    'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:example.com, DNS:sip.example.com',
  );
  assert.ok(server.checkHost('sip.example.com') !== undefined);
  assert.ok(server.checkIP('::1') !== undefined);
  assert.equal(server.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.equal(Date.parse(ca.validTo), nowMs + 3_650 * dayMs);
  const days = (Date.parse(server.validTo) - Date.parse(server.validFrom)) / dayMs;
  assert.equal(days, 397);
  assert.ok(made.cert.includes(made.ca));
  for (const [name, mode] of [
    ['ca.pem', 0o644],
    ['ca-key.pem', 0o600],
    ['server.pem', 0o644],
    ['server-key.pem', 0o600],
  ] as const) {
    assert.equal((await stat(join(dir, name))).mode & 0o777, mode, name);
  }
});

test('the next start finds it, whatever the order and spelling of the names', async (t) => {
  const dir = await folder(t);
  const made = await loadOrCreateCertificate({ dir, names, nowMs });
  const spelt = ['[0:0:0:0:0:0:0:1]', 'SIP.example.com', 'example.com', '127.0.0.1', '127.0.0.1'];
  assert.deepEqual(await loadOrCreateCertificate({ dir, names: spelt, nowMs: nowMs + 300 * dayMs }), made);
});

test('other names, or less than 30 days left: a new server certificate of the same authority', async (t) => {
  const dir = await folder(t);
  const first = await loadOrCreateCertificate({ dir, names, nowMs });
  const second = await loadOrCreateCertificate({ dir, names: [...names, 'new.example.com'], nowMs });
  assert.equal(second.ca, first.ca);
  assert.notEqual(second.cert, first.cert);
  assert.ok(leaf(second).checkHost('new.example.com') !== undefined);
  const laterMs = nowMs + 370 * dayMs;
  const third = await loadOrCreateCertificate({ dir, names: [...names, 'new.example.com'], nowMs: laterMs });
  assert.equal(third.ca, first.ca);
  assert.ok(Date.parse(leaf(third).validTo) > laterMs + 300 * dayMs);
});

test('an authority at its end is made anew, with a server certificate of its own', async (t) => {
  const dir = await folder(t);
  const first = await loadOrCreateCertificate({ dir, names, nowMs });
  const late = await loadOrCreateCertificate({ dir, names, nowMs: nowMs + 3_640 * dayMs });
  assert.notEqual(late.ca, first.ca);
  assert.ok(leaf(late).verify(new X509Certificate(late.ca).publicKey));
});

test('a certificate that somebody else issued is used and never written over', async (t) => {
  const [dir, elsewhere] = [await folder(t), await folder(t)];
  await loadOrCreateCertificate({ dir, names, nowMs });
  const foreign = await foreignCertificate(elsewhere);
  await writeFile(join(dir, 'server.pem'), foreign.cert);
  await writeFile(join(dir, 'server-key.pem'), foreign.key);
  const used = await loadOrCreateCertificate({ dir, names: ['other.example.com'], nowMs: nowMs + 390 * dayMs });
  assert.equal(used.cert, foreign.cert);
  assert.equal(await readFile(join(dir, 'server.pem'), 'latin1'), foreign.cert);
  const { key } = await loadOrCreateCertificate({ dir: elsewhere, names, nowMs });
  await writeFile(join(dir, 'server-key.pem'), key);
  await assert.rejects(loadOrCreateCertificate({ dir, names, nowMs }), { code: 'certificate-unreadable' });
});

/** Self-signed, as another tool would make it. */
async function foreignCertificate(dir: string): Promise<Pick<Certificate, 'cert' | 'key'>> {
  const { certificateLibrary } = await import('../../../src/adapters/network/certificate-library.ts');
  const x509 = await certificateLibrary();
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=other',
    keys,
    signingAlgorithm: algorithm,
  });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  assert.ok(dir !== '');
  return { cert: `${made.toString('pem')}\n`, key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n` };
}

test('a file that cannot be read as what it should be: the failure names it', async (t) => {
  for (const name of ['ca.pem', 'ca-key.pem', 'server.pem', 'server-key.pem']) {
    const dir = await folder(t);
    await loadOrCreateCertificate({ dir, names, nowMs });
    await writeFile(join(dir, name), 'not PEM');
    await assert.rejects(loadOrCreateCertificate({ dir, names, nowMs }), (thrown) => {
      assert.ok(thrown instanceof Failure);
      assert.equal(thrown.code, 'certificate-unreadable');
      assert.ok(thrown.message.includes(name), thrown.message);
      return true;
    });
  }
});

test('a folder that cannot be made is a failure, not an exception of the file system', async (t) => {
  const dir = await folder(t);
  await writeFile(dir, 'a file stands here');
  await chmod(dir, 0o600);
  await assert.rejects(loadOrCreateCertificate({ dir, names, nowMs }), { code: 'certificate-unreadable' });
});

test('a start that was interrupted between two files is repaired', async (t) => {
  const dir = await folder(t);
  const first = await loadOrCreateCertificate({ dir, names, nowMs });
  await rm(join(dir, 'server.pem'));
  const second = await loadOrCreateCertificate({ dir, names, nowMs });
  assert.equal(second.ca, first.ca);
  await rm(join(dir, 'ca.pem'));
  const third = await loadOrCreateCertificate({ dir, names, nowMs });
  assert.ok(leaf(third).verify(new X509Certificate(third.ca).publicKey));
});

test('without usable names there is still a certificate: localhost', async (t) => {
  const made = await loadOrCreateCertificate({ dir: await folder(t), names: ['0.0.0.0', '::', ''], nowMs });
  assert.equal(leaf(made).subjectAltName, 'DNS:localhost');
});
