/**
 * Headers that we carry and compare as text: Content-Type (RFC 3261 §20.15), User-Agent (§20.41), Server (§20.35),
 * Subject (§20.36), Replaces (RFC 3891), Reason (RFC 3326), Warning (§20.43), and who a sender says it is (RFC 3325
 * §9; Remote-Party-ID never became an RFC and is sent all the same). From Reason on they are lists.
 */
import { defineHeader, type Header } from '../header.ts';

/** A header whose value is any text. */
export const textHeader = (name: string, list = false): Header<string> =>
  defineHeader({ name, list, parse: (value) => value, print: (value) => value });

export const ContentType = textHeader('Content-Type');
export const UserAgent = textHeader('User-Agent');
export const Server = textHeader('Server');
export const Subject = textHeader('Subject');
export const Replaces = textHeader('Replaces');
export const Reason = textHeader('Reason', true);
export const Warning = textHeader('Warning', true);
export const PAssertedIdentity = textHeader('P-Asserted-Identity', true);
export const PPreferredIdentity = textHeader('P-Preferred-Identity', true);
export const RemotePartyId = textHeader('Remote-Party-ID', true);
/** RFC 3323 §4.2: its values stand between `;`. */
export const Privacy = textHeader('Privacy', true);
export const Timestamp = textHeader('Timestamp');
