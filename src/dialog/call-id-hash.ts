/**
 * The public id of a call (DESIGN §5): what stands in REST paths and pages instead of the Call-ID, which may hold any
 * character and must not be guessed from.
 */
import { hash } from 'node:crypto';

export function callIdHash(callId: string): string {
  return hash('sha256', Buffer.from(callId, 'latin1'), 'base64url').slice(0, 22);
}
