/** One thing that the doctor has looked at. */
import type { Finding } from '../engine/operations.ts';

export function finding(check: string, level: Finding['level'], says: string, cure: string): Finding {
  return { check, level, says, cure };
}
