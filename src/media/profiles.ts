/**
 * Media profiles: what rtpengine is told about the SDP it generates (DESIGN §4), one row per kind of party.
 *
 * A row has a part for the receiver of the SDP and a part for its sender; both go into OFFERS. Answers carry none of
 * it: rtpengine remembers what the offerer is, and `ICE: remove` in an answer would strip the browser's own ICE.
 * The types keep transport and keying together: secure without keying, or plain with keying, does not compile.
 * Left out: which kind a party is (the engine knows), and what rtpengine leaves in (a=mid, msid, extmap, ssrc).
 */
import type { MediaKind } from '../ports.ts';
import type { OfferCommand } from './commands.ts';

/** DTLS-SRTP: the keys are agreed on the media path, so none may stand in the SDP (RFC 8827 §6.5). */
export interface DtlsKeying {
  readonly 'transport-protocol': 'UDP/TLS/RTP/SAVPF';
  readonly DTLS: 'passive';
  readonly SDES: readonly ['off'];
}

/** Plain RTP: nothing that offers a key. */
export interface NoKeying {
  readonly 'transport-protocol': 'RTP/AVP';
  readonly DTLS: 'off';
  readonly SDES: readonly ['off'];
}

/** SDES-SRTP (RFC 4568): the keys stand in the SDP, so SDES stays on, which is rtpengine's default. */
export interface SdesKeying {
  readonly 'transport-protocol': 'RTP/SAVP';
  readonly DTLS: 'off';
  readonly SDES?: never;
}

export type Keying = DtlsKeying | NoKeying | SdesKeying;

/** For the party that will read the SDP. */
export type ReceiverPart = Keying & Required<Pick<OfferCommand, 'ICE' | 'rtcp-mux'>> & Pick<OfferCommand, 'flags'>;

/** For the party that sent the SDP: prepares the answer it will get. */
export type SenderPart = Pick<OfferCommand, 'DTLS-reverse'>;

export type OfferProfile = ReceiverPart & SenderPart;

interface Row {
  readonly receiver: ReceiverPart;
  readonly sender: SenderPart;
}

const rows: Readonly<Record<MediaKind, Row>> = {
  webrtc: {
    receiver: {
      'transport-protocol': 'UDP/TLS/RTP/SAVPF',
      DTLS: 'passive',
      SDES: ['off'],
      ICE: 'force',
      'rtcp-mux': ['offer'],
      flags: ['generate-mid'],
    },
    // `DTLS: passive` acts in answers only (up to 26.1). This is what makes a calling browser the DTLS client, which
    // opens its NAT for the handshake.
    sender: { 'DTLS-reverse': 'passive' },
  },
  rtp: {
    receiver: { 'transport-protocol': 'RTP/AVP', DTLS: 'off', SDES: ['off'], ICE: 'remove', 'rtcp-mux': ['demux'] },
    sender: {},
  },
  sdes: {
    receiver: { 'transport-protocol': 'RTP/SAVP', DTLS: 'off', ICE: 'remove', 'rtcp-mux': ['demux'] },
    sender: {},
  },
};

/** The keys of an offer that `sender` makes and `receiver` will read. */
export function offerProfile(sender: MediaKind, receiver: MediaKind): OfferProfile {
  return { ...rows[receiver].receiver, ...rows[sender].sender };
}

/** What a party may take that refused an SDP of this kind (488, 606). */
export const otherKind: Readonly<Record<MediaKind, MediaKind>> = { webrtc: 'rtp', rtp: 'sdes', sdes: 'rtp' };

/** The family of the address at which the receiver is reached: rtpengine writes its own address of that family. */
export function addressFamily(receiverAddress: string): 'IP4' | 'IP6' {
  return receiverAddress.includes(':') ? 'IP6' : 'IP4';
}
