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

async function look(t: TestContext, domain: string, nowMs = Date.now()): Promise<readonly string[]> {
  const path = join(certificates.folder, 'tls.cfg');
  await writeFile(path, '[server:default]\ncertificate = main/server.pem\nprivate_key = main/server-key.pem\n');
  const { network } = await open(t, ['tls:127.0.0.1:0', 'wss:127.0.0.1:0', 'udp:127.0.0.1:0'], {
    tls: await loadTlsCfg(path, Date.now(), silentLog),
  });
  const found = await tlsFindings(network.listeners, [domain], nowMs);
  return found.map(({ level, says }) => `${level}: ${says.replace(/127\.0\.0\.1:\d+/, 'HERE')}`);
}

test('the certificate of each secure listener is named with its end, and TLS 1.1 is not accepted', async (t) => {
  const found = await look(t, 'sip.example.com');
  for (const transport of ['tls', 'wss']) {
    assert.ok(
      found.some((words) => words.startsWith(`ok: ${transport} HERE shows CN=sip.example.com`)),
      found.join('\n'),
    );
  }
  assert.ok(!found.some((words) => /TLS 1\.1|not for/.test(words)), found.join('\n'));
});

test('one that is not for the domain, and one that has run out', async (t) => {
  assert.match((await look(t, 'other.example.com')).join('\n'), /warning: tls HERE: the certificate is not for other/);
  const years = 30 * 365 * 86_400_000;
  assert.match((await look(t, 'sip.example.com', Date.now() + years)).join('\n'), /error: tls HERE: .* has run out/);
});
