/** What a real browser says to a certificate that it does not trust, and what the log makes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { certificateSource } from '../../src/adapters/network/tls-source.ts';
import { certificateOf, testCertificates } from '../adapters/network/certificates.ts';
import { eventually, open, silentLog } from '../adapters/network/support.ts';

const certificates = testCertificates({ ours: ['localhost', '127.0.0.1'] });

test('a browser that distrusts our certificate opens no WebSocket, and the log says what to do', async (t) => {
  const told: object[] = [];
  const log = { ...silentLog, info: (about: object) => void told.push(about) };
  const tls = certificateSource(certificateOf(certificates, 'ours'));
  const { listener } = await open(t, ['wss:127.0.0.1:0'], { tls, log });
  // Not that of support/chromium.ts, which is told to accept every certificate.
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const outcome = await page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url, 'sip');
        socket.onopen = () => resolve('open');
        socket.onerror = () => resolve('refused');
      }),
    `wss://127.0.0.1:${listener.local.port}/`,
  );
  assert.equal(outcome, 'refused');
  await eventually(() => told.length > 0, 'the alert is logged');
  const [line] = told;
  assert.partialDeepStrictEqual(line, { reason: 'tls-handshake', fault: 'certificate_unknown' });
  assert.match(JSON.stringify(line), /the client refuses our certificate.*import DATA_DIR\/tls\/ca\.pem/);
});
