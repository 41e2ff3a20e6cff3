/** What a TLS client of ours is shown, looked at over a connection to ourselves. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadTlsCfg } from '../../src/adapters/network/tls-sections.ts';
import { tlsFindings } from '../../src/doctor/certificates.ts';
import { testCertificates } from '../adapters/network/certificates.ts';
import { open, silentLog } from '../adapters/network/support.ts';

const certificates = testCertificates({ main: ['sip.example.com', '127.0.0.1'] });

async function listening(t: TestContext) {
  const path = join(certificates.folder, 'tls.cfg');
  await writeFile(path, '[server:default]\ncertificate = main/server.pem\nprivate_key = main/server-key.pem\n');
  const tls = await loadTlsCfg(path, Date.now(), silentLog);
  return (await open(t, ['tls:127.0.0.1:0', 'wss:127.0.0.1:0', 'udp:127.0.0.1:0'], { tls })).network;
}

async function look(
  t: TestContext,
  domain: string,
  nowMs = Date.now(),
  ...more: readonly string[]
): Promise<readonly string[]> {
  const network = await listening(t);
  const found = await tlsFindings(network.listeners, [domain, ...more], nowMs);
  return found.map(({ level, says }) => `${level}: ${says.replace(/127\.0\.0\.1:\d+/, 'HERE')}`);
}

test('the certificate of each secure listener is named with its end, and what TLS it speaks', async (t) => {
  const found = await look(t, 'sip.example.com');
  for (const transport of ['tls', 'wss']) {
    assert.ok(
      found.some((words) => words.startsWith(`ok: ${transport} HERE shows CN=sip.example.com`)),
      found.join('\n'),
    );
  }
  assert.ok(!found.some((words) => /not for/.test(words)), found.join('\n'));
  assert.ok(found.some((words) => words === 'ok: tls HERE speaks TLS from 1.2 on, and nothing older.'));
});

test('it leaves no failed handshake in the log: nobody must take it for a scanner', async (t) => {
  const network = await listening(t);
  await tlsFindings(network.listeners, ['sip.example.com'], Date.now());
  assert.equal(network.statistics().dropped['tls-handshake'] ?? 0, 0);
});

test('each domain is looked at; a certificate for a name within the domain may be meant so', async (t) => {
  assert.match(
    (await look(t, 'example.com')).join('\n'),
    /notice: tls HERE: .* not for example\.com, but for a name within/,
  );
  assert.match((await look(t, 'sip.example.com', Date.now(), 'second.example.org')).join('\n'), /not for second/);
});

test('one that is not for the domain, and one that has run out', async (t) => {
  assert.match((await look(t, 'other.example.com')).join('\n'), /warning: tls HERE: the certificate is not for other/);
  const years = 30 * 365 * 86_400_000;
  assert.match((await look(t, 'sip.example.com', Date.now() + years)).join('\n'), /error: tls HERE: .* has run out/);
});
