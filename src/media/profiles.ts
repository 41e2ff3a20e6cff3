/**
 * Media profiles: what rtpengine is told about the SDP it generates (DESIGN §4), one row per kind of party.
 *
 * A row has a part for the receiver of the SDP and a part for its sender; both go into OFFERS. Answers carry none of
 * it but `answerProfile`: rtpengine remembers what the offerer is, and `ICE: remove` in an answer would strip the
 * browser's own ICE.
 * The types keep transport and keying together: secure without keying, or plain with keying, does not compile.
 * Left out: which kind a party is (the engine knows), and what rtpengine leaves in (a=mid, msid, extmap, ssrc).
 */
import type { MediaKind } from '../ports.ts';
import type { AnswerCommand, OfferCommand } from './commands.ts';

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
  readonly OSRTP?: never;
}

/**
 * SDES-SRTP (RFC 4568): the keys stand in the SDP, and with their `=` at the end, which rtpengine leaves out otherwise:
 * baresip then reads a key that is too short, and decrypts nothing.
 */
export interface SdesKeying {
  readonly 'transport-protocol': 'RTP/SAVP';
  readonly DTLS: 'off';
  readonly SDES: readonly ['pad'];
  readonly OSRTP?: never;
}

/** OSRTP (RFC 8643): plain RTP with keys beside it, and who answers says which of both it is. */
export interface EitherKeying {
  readonly 'transport-protocol': 'RTP/AVP';
  readonly DTLS: 'off';
  readonly SDES: readonly ['pad'];
  readonly OSRTP: readonly ['offer'];
}

export type Keying = DtlsKeying | NoKeying | SdesKeying | EitherKeying;

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
    receiver: { 'transport-protocol': 'RTP/SAVP', DTLS: 'off', SDES: ['pad'], ICE: 'remove', 'rtcp-mux': ['demux'] },
    sender: {},
  },
  osrtp: {
    receiver: {
      'transport-protocol': 'RTP/AVP',
      DTLS: 'off',
      SDES: ['pad'],
      OSRTP: ['offer'],
      ICE: 'remove',
      'rtcp-mux': ['demux'],
    },
    sender: {},
  },
};

/** The keys of an offer that `sender` makes and `receiver` will read. */
export function offerProfile(sender: MediaKind, receiver: MediaKind): OfferProfile {
  return { ...rows[receiver].receiver, ...rows[sender].sender };
}

const answers: Readonly<Record<MediaKind, Pick<AnswerCommand, 'OSRTP' | 'SDES'>>> = {
  webrtc: {},
  rtp: {},
  sdes: { SDES: ['pad'] },
  // RFC 8643 §3.2: who offered either gets a key back also where the other side speaks plain RTP.
  osrtp: { SDES: ['pad'], OSRTP: ['accept'] },
};

/** The keys of an answer that `receiver` will read, who made the offer. */
export function answerProfile(receiver: MediaKind): Pick<AnswerCommand, 'OSRTP' | 'SDES'> {
  return answers[receiver];
}

/** What a party may take that refused an SDP of this kind (488, 606), one after the other. */
const others: Readonly<Record<MediaKind, readonly MediaKind[]>> = {
  webrtc: ['rtp'],
  rtp: ['sdes'],
  sdes: ['rtp'],
  // One that insists on SRTP, and then one that minds a key beside plain RTP.
  osrtp: ['sdes', 'rtp'],
};

/** The kind to offer next; `undefined`: it has been asked often enough. */
export function otherKind(refused: readonly MediaKind[]): MediaKind | undefined {
  const [first] = refused;
  return first === undefined ? undefined : others[first][refused.length - 1];
}

/** The family of the address at which the receiver is reached: rtpengine writes its own address of that family. */
export function addressFamily(receiverAddress: string): 'IP4' | 'IP6' {
  return receiverAddress.includes(':') ? 'IP6' : 'IP4';
}
