/** Certificates for tests, made once for a file of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type Certificate, loadOrCreateCertificate } from '../../../src/adapters/network/certificate.ts';

export interface TestCertificates {
  /** A folder that is removed at the end. */
  readonly folder: string;
  /** A certificate of an authority of its own, in `<folder>/<label>`. */
  readonly made: ReadonlyMap<string, Certificate>;
}

export function testCertificates(wanted: Readonly<Record<string, readonly string[]>>): TestCertificates {
  const made = new Map<string, Certificate>();
  const result = { folder: '', made };
  before(async () => {
    result.folder = await mkdtemp(join(tmpdir(), 'viaduct-certificates-'));
    for (const [label, names] of Object.entries(wanted)) {
      made.set(label, await loadOrCreateCertificate({ dir: join(result.folder, label), names, nowMs: Date.now() }));
    }
  });
  after(() => rm(result.folder, { recursive: true, force: true }));
  return result;
}

export function certificateOf(certificates: TestCertificates, label: string): Certificate {
  const certificate = certificates.made.get(label);
  if (certificate === undefined) throw new Error(`no certificate ${label}`);
  return certificate;
}
