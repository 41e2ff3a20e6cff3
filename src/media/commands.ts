/**
 * The ng commands we send and the replies we read, as types (rtpengine, "ng control protocol").
 *
 * Keys are rtpengine's own, in the hyphen form that every version from 10.5 on reads. List-typed keys are lists here
 * and on the wire: 10.5 drops a plain string silently. Bencoding happens in `src/adapters/rtpengine/`.
 */

/** Keying and transport of the SDP that rtpengine generates, for the party that will receive it. */
export type TransportProtocol = 'UDP/TLS/RTP/SAVPF' | 'RTP/AVP' | 'RTP/SAVP';

export interface OfferCommand {
  readonly command: 'offer';
  readonly 'call-id': string;
  readonly 'from-tag': string;
  readonly 'to-tag'?: string;
  readonly 'via-branch'?: string;
  readonly sdp: string;
  readonly 'transport-protocol'?: TransportProtocol;
  readonly ICE?: 'force' | 'remove';
  readonly DTLS?: 'passive' | 'off';
  readonly 'DTLS-reverse'?: 'passive';
  readonly SDES?: readonly string[];
  readonly OSRTP?: readonly string[];
  readonly 'rtcp-mux'?: readonly string[];
  readonly flags?: readonly string[];
  readonly replace?: readonly string[];
  readonly 'address-family'?: 'IP4' | 'IP6';
  readonly codec?: { readonly strip?: readonly string[]; readonly transcode?: readonly string[] };
  readonly 'received-from'?: readonly [family: 'IP4' | 'IP6', address: string];
}

export interface AnswerCommand {
  readonly command: 'answer';
  readonly 'call-id': string;
  readonly 'from-tag': string;
  readonly 'to-tag': string;
  readonly 'via-branch'?: string;
  readonly sdp: string;
  readonly SDES?: readonly string[];
  readonly OSRTP?: readonly string[];
  readonly flags?: readonly string[];
  readonly replace?: readonly string[];
  readonly 'received-from'?: readonly [family: 'IP4' | 'IP6', address: string];
}

/** Candidates of the party with this tag, after its SDP (RFC 8840). On the wire it is an offer with the flag `fragment`. */
export interface TrickleCommand {
  readonly command: 'trickle';
  readonly 'call-id': string;
  readonly 'from-tag': string;
  /** Of a side that rtpengine has an SDP of: any other it would take for one more side, and the answer with it. */
  readonly 'to-tag'?: string;
  readonly 'via-branch'?: string;
  readonly sdp: string;
}

/** Without from-tag and via-branch: the whole call. */
export interface DeleteCommand {
  readonly command: 'delete';
  readonly 'call-id': string;
  readonly 'from-tag'?: string;
  readonly 'via-branch'?: string;
  /** Seconds; always given, the daemon's default would keep the ports for 30 s. */
  readonly 'delete-delay': number;
}

/** Of a whole call. 10.5 says `ok` also where it has no folder to record to, and does not know `pause recording`. */
export interface RecordingCommand {
  readonly command: 'start recording' | 'pause recording' | 'stop recording';
  readonly 'call-id': string;
}

/** To the party with this tag: a file on the machine of rtpengine, or sound that comes along. */
export interface PlayCommand {
  readonly command: 'play media';
  readonly 'call-id': string;
  readonly 'from-tag': string;
  readonly file?: string;
  readonly blob?: string;
  readonly 'repeat-times'?: number;
}

export interface StopPlayingCommand {
  readonly command: 'stop media';
  readonly 'call-id': string;
  readonly 'from-tag': string;
}

interface BlockedOfAll {
  readonly command: 'block media' | 'unblock media' | 'block DTMF' | 'unblock DTMF';
  readonly 'call-id': string;
}

/** From 13 on the tag counts for nothing without this flag: the whole call would be blocked. Up to 12.5 it is not needed. */
interface BlockedOfOne extends BlockedOfAll {
  readonly 'from-tag': string;
  readonly flags: readonly ['directional'];
}

/** What the party with this tag sends; without one, what both send. */
export type BlockCommand = BlockedOfAll | BlockedOfOne;

export type NgCommand =
  | RecordingCommand
  | PlayCommand
  | StopPlayingCommand
  | BlockCommand
  | TrickleCommand
  | OfferCommand
  | AnswerCommand
  | DeleteCommand
  | { readonly command: 'ping' }
  | { readonly command: 'statistics' }
  | { readonly command: 'query'; readonly 'call-id': string }
  | { readonly command: 'list'; readonly limit: number }
  /** Takes media for nobody; its reply has an SDP that rtpengine made itself. */
  | { readonly command: 'publish'; readonly 'call-id': string; readonly 'from-tag': string; readonly sdp: string };

/** A decoded bencode value; text is latin1. */
export type NgValue = string | number | readonly NgValue[] | { readonly [key: string]: NgValue };

/** A reply whose `result` was `ok` or `pong`; every other result is thrown as a `Failure`. */
export type NgReply = { readonly [key: string]: NgValue };
