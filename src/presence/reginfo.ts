/**
 * The registration event package (RFC 3680): the contacts of an account as a document, always the full state.
 */
import type { Binding } from '../ports.ts';
import { escapeXml } from './xml.ts';

export function regInfo(aor: string, version: number, bindings: readonly Binding[], nowMs: number): string {
  const root = `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${version}" state="full">`;
  const state = bindings.length > 0 ? 'active' : 'init';
  const contacts = bindings.map((binding) => contactElement(binding, nowMs)).join('');
  const registration = `<registration aor="${escapeXml(aor)}" id="r1" state="${state}">${contacts}</registration>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\r\n${root}${registration}</reginfo>\r\n`;
}

// §5.3: whoever asks for the full state hears of what is there, so each contact is active and registered.
function contactElement({ key, contact, q, expiresAtMs, callId, cseq }: Binding, nowMs: number): string {
  const seconds = Math.max(0, Math.ceil((expiresAtMs - nowMs) / 1000));
  const order = `q="${q}" callid="${escapeXml(callId)}" cseq="${cseq}"`;
  const start = `<contact id="${escapeXml(key)}" state="active" event="registered" expires="${seconds}" ${order}>`;
  return `${start}<uri>${escapeXml(contact)}</uri></contact>`;
}
