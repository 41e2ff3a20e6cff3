/**
 * The registration event package (RFC 3680): the contacts of an account as a document, always the full state, with the
 * GRUUs of their devices (RFC 5628).
 */
import type { Binding } from '../ports.ts';
import { escapeXml } from './xml.ts';

export interface RegisteredContact extends Binding {
  readonly publicGruu: string | undefined;
  readonly temporaryGruu: string | undefined;
}

const names = 'xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo"';

export function regInfo(aor: string, version: number, contacts: readonly RegisteredContact[], nowMs: number): string {
  const root = `<reginfo ${names} version="${version}" state="full">`;
  const state = contacts.length > 0 ? 'active' : 'init';
  const elements = contacts.map((contact) => contactElement(contact, nowMs)).join('');
  const registration = `<registration aor="${escapeXml(aor)}" id="r1" state="${state}">${elements}</registration>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n${root}${registration}</reginfo>\r\n`;
}

// §5.3: whoever asks for the full state hears of what is there, so each contact is active and registered.
function contactElement(registered: RegisteredContact, nowMs: number): string {
  const { key, contact, q, expiresAtMs, callId, cseq } = registered;
  const seconds = Math.max(0, Math.ceil((expiresAtMs - nowMs) / 1000));
  const order = `q="${q}" callid="${escapeXml(callId)}" cseq="${cseq}"`;
  const start = `<contact id="${escapeXml(key)}" state="active" event="registered" expires="${seconds}" ${order}>`;
  return `${start}<uri>${escapeXml(contact)}</uri>${gruuElements(registered)}</contact>`;
}

// RFC 5628 §5: the latest temporary one, and since which CSeq those before it are good.
function gruuElements({ publicGruu, temporaryGruu, gruuCSeq }: RegisteredContact): string {
  const lasting = publicGruu === undefined ? '' : `<gr:pub-gruu uri="${escapeXml(publicGruu)}"/>`;
  if (temporaryGruu === undefined) return lasting;
  return `${lasting}<gr:temp-gruu uri="${escapeXml(temporaryGruu)}" first-cseq="${gruuCSeq}"/>`;
}
