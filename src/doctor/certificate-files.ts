/**
 * Whether the files of TLS_CFG are those in use. A certificate that was renewed without a reload runs out all the same, and
 * a file that was broken meanwhile is met at the next start: at night, after a crash.
 */
import type { Finding } from '../engine/operations.ts';
import { failureOf } from '../errors.ts';
import { finding } from './finding.ts';

export interface CertificateFilesChecked {
  /** Absent: there is no TLS_CFG. A line for each certificate, as `TlsSource.identities`. */
  readonly certificateFiles?: CertificateFiles | undefined;
}

export interface CertificateFiles {
  readonly inUse: readonly string[];
  /** What the files say now; rejects as a start would. */
  read(): Promise<readonly string[]>;
}

export async function certificateFileFindings({
  certificateFiles,
}: CertificateFilesChecked): Promise<readonly Finding[]> {
  if (certificateFiles === undefined) return [];
  try {
    const now = await certificateFiles.read();
    return now.join('\n') === certificateFiles.inUse.join('\n') ? [] : [notInUse];
  } catch (thrown) {
    const { message, row } = failureOf(thrown);
    const words = `A restart would fail; until then the certificates read before are shown. ${message}`;
    return [finding('certificate', 'error', words, `${row.nextStep} Then: npx viaduct reload.`)];
  }
}

const notInUse = finding(
  'certificate',
  'warning',
  'The certificates of TLS_CFG have changed on the disk, and those of before are shown.',
  'npx viaduct reload; have what renews them do so (certbot --deploy-hook "npx viaduct reload").',
);
