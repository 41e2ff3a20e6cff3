/**
 * The dialog event package (RFC 4235): the calls of an account as a document, for busy lamps.
 *
 * Told is what a lamp needs: state, direction and who is at the other end. Left out on purpose: Call-ID and tags, with
 * which a watcher could take the call (Replaces, RFC 3891), targets and SDP.
 */
import type { PartyCall } from '../ports.ts';
import { escapeXml } from './xml.ts';

export function dialogInfo(entity: string, version: number, calls: readonly PartyCall[]): string {
  const root = `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="${version}" state="full" entity="${escapeXml(entity)}">`;
  const dialogs = calls.map((call) => dialogElement(entity, call)).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n${root}${dialogs}</dialog-info>\r\n`;
}

function dialogElement(entity: string, { id, direction, phase, remote }: PartyCall): string {
  const ends = `<local>${identity(entity)}</local><remote>${identity(remote)}</remote>`;
  return `<dialog id="${escapeXml(id)}" direction="${direction}"><state>${phase}</state>${ends}</dialog>`;
}

const identity = (uri: string): string => `<identity>${escapeXml(uri)}</identity>`;
