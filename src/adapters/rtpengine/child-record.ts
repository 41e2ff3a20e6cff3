/**
 * DATA_DIR/rtpengine.json: which rtpengine belongs to this data folder, so that a start after kill -9 of Viaduct finds
 * the one that is still relaying the calls of before.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';

export interface ChildRecord extends ProcessIdentity {
  /** Its ng port on 127.0.0.1. */
  readonly port: number;
  /** The command line; another one means that settings have changed. */
  readonly command: readonly string[];
}

export function readChildRecord(dataDir: string): ChildRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(fileOf(dataDir), 'utf8'));
    return isChildRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed: never half a file, also when the machine stops in between. */
export function writeChildRecord(dataDir: string, record: ChildRecord): void {
  const file = fileOf(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

export function removeChildRecord(dataDir: string): void {
  rmSync(fileOf(dataDir), { force: true });
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'rtpengine.json');
}

function isChildRecord(value: unknown): value is ChildRecord {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value && 'startTime' in value && 'port' in value && 'command' in value)) return false;
  const numbers = Number.isInteger(value.pid) && Number.isInteger(value.port);
  return numbers && typeof value.startTime === 'string' && Array.isArray(value.command);
}
