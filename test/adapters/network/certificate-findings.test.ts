import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateFindings } from '../../../src/adapters/network/certificate-findings.ts';
import { issueAuthority, issueCertificate } from '../../../src/adapters/network/certificate-issue.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-21T12:00:00Z');
const year = { fromMs: nowMs - dayMs, untilMs: nowMs + 365 * dayMs };
const names = ['example.com'];

const root = await issueAuthority('Root', { fromMs: nowMs - 9 * dayMs, untilMs: nowMs + 999 * dayMs });
const other = await issueAuthority('Other', year);
const good = await issueCertificate(root, { names, purpose: 'server', ...year });

const nobodyKnown = (): boolean => false;

for (const [title, pem, atMs, isAuthority, expected] of [
  ['a chain in order says nothing', good.pem + root.pem, nowMs, nobodyKnown, []],
  ['a certificate of a known root may stand alone', good.pem, nowMs, (name: string) => /CN=Root/.test(name), []],
  [
    'one of an unknown issuer may not: its intermediate is missing',
    good.pem,
    nowMs,
    nobodyKnown,
    [/stands alone, and its issuer \(CN=Root, O=Viaduct\) is no known root/],
  ],
  ['a self-signed one is told', root.pem, nowMs, nobodyKnown, [/CN=Root.* is self-signed/]],
  [
    'a chain out of order is told',
    good.pem + other.pem + root.pem,
    nowMs,
    nobodyKnown,
    [/behind CN=example\.com \(example\.com\) stands CN=Other/],
  ],
  [
    '14 days before the end it is said',
    good.pem + root.pem,
    year.untilMs - 13.5 * dayMs,
    nobodyKnown,
    [/runs out in 13 days/],
  ],
  [
    'after the end it is an error',
    good.pem + root.pem,
    year.untilMs + 1_000,
    nobodyKnown,
    [/has run out on .* renew it/],
  ],
  [
    'before its time it is, too',
    good.pem + root.pem,
    year.fromMs - 1_000,
    nobodyKnown,
    [/is not valid before .* clock of this host/],
  ],
  ['no certificate, no finding', 'nothing', nowMs, nobodyKnown, []],
] as const) {
  test(`RFC 5280 §6: ${title}`, () => {
    const words = certificateFindings(pem, atMs, isAuthority).map((finding) => finding.words);
    assert.equal(words.length, expected.length, words.join('\n'));
    for (const [at, pattern] of expected.entries()) assert.match(words[at] ?? '', pattern);
  });
}
