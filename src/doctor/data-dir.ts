/** DATA_DIR may have become full or read-only since the start: nothing that runs writes there, and the next start must. */
import type { Finding } from '../engine/operations.ts';
import { failureOf } from '../errors.ts';
import { openDataDir } from '../start/data-dir.ts';
import { finding } from './finding.ts';

export interface DataDirChecked {
  readonly dataDir: string;
}

export function dataDirFindings({ dataDir }: DataDirChecked): readonly Finding[] {
  try {
    openDataDir(dataDir, false);
    return [];
  } catch (thrown) {
    const { message, row } = failureOf(thrown);
    return [finding('host', 'error', `A restart would fail. ${message}`, row.nextStep)];
  }
}
