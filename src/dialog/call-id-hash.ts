/**
 * The public id of a call (DESIGN §5): what stands in REST paths and pages instead of the Call-ID, which may hold any
 * character and must not be guessed from.
 */
import { createHash } from 'node:crypto';

export function callIdHash(callId: string): string {
  return createHash('sha256').update(callId, 'latin1').digest('base64url').slice(0, 22);
}
