/**
 * The one call: JsSIP's session and the microphone behind it, with each change told as a `Call`.
 * A second caller is told that we are busy. It draws nothing and rings nothing.
 */
import { C, type UA } from 'jssip';
import type { EndEvent, IceCandidateEvent, RTCSession } from 'jssip/lib/RTCSession';
import { type IceRestarts, restartsIce } from './ice-restart.ts';
import { closeMicrophone, type MicrophoneOptions, openMicrophone } from './microphone.ts';
import { type Ending, explainEnding, explainLostRinging, reasonOf, type Words, warningText } from './reasons.ts';
import type { Call, Peer } from './state.ts';

export interface CallOptions {
  readonly microphone: MicrophoneOptions;
  changed(call: Call): void;
  /** What the other side sends, as soon as there is a track. */
  heard(stream: MediaStream): void;
  /** What we send, as soon as the microphone is open. */
  spoken(stream: MediaStream): void;
  /** Whether there is a WebSocket: without one nothing can be said to the server. */
  connected(): boolean;
  /** Whether the server answers over it now: it may be dead, and nobody has noticed. */
  isThere(): Promise<boolean>;
}

/** A host candidate comes within milliseconds; a silent STUN server would hold the INVITE back for 40 s. */
const GATHERING_MS = 300;
const TONE_MS = 160;
const GAP_MS = 70;

export class Calls {
  readonly #options: CallOptions;
  #call: Call = { at: 'none' };
  #session: RTCSession | undefined;
  #stream: MediaStream | undefined;
  /** Hung up while the connection was lost: their BYE waits for it. */
  readonly #owed = new Set<RTCSession>();
  #iceRestarts: IceRestarts | undefined;
  /** Whom to dial again when the connection is back. */
  #interrupted: Peer | undefined;

  constructor(options: CallOptions) {
    this.#options = options;
  }

  get call(): Call {
    return this.#call;
  }

  get connection(): RTCPeerConnection | undefined {
    return this.#session?.connection;
  }

  async dial(ua: UA, target: string): Promise<void> {
    const peer = { name: target.replace(/^sips?:/i, '').replace(/@.*$/, ''), address: target };
    const mediaStream = await this.#askMicrophone({ at: 'asking', peer });
    if (mediaStream === undefined) return;
    this.#change({ at: 'calling', peer });
    try {
      const session = ua.call(target, { mediaStream, pcConfig: { iceServers: [] } });
      this.#follow(session, peer);
      this.#listenTo(session);
    } catch (thrown) {
      const technical = thrown instanceof Error ? thrown.message : String(thrown);
      this.#finish(peer, { title: 'This cannot be dialled', next: 'Dial a name such as bob, or a number.', technical });
    }
  }

  /** An INVITE has arrived. */
  offer(session: RTCSession): void {
    if (this.#call.at !== 'none' && this.#call.at !== 'ended') return void session.terminate({ status_code: 486 });
    const { uri, display_name } = session.remote_identity;
    const peer = { name: display_name || decodeURIComponent(uri.user), address: `${uri.user}@${uri.host}` };
    this.#follow(session, peer);
    this.#change({ at: 'incoming', peer });
  }

  async answer(): Promise<void> {
    const session = this.#session;
    if (this.#call.at !== 'incoming' || session === undefined) return;
    const mediaStream = await this.#askMicrophone({ at: 'answering', peer: this.#call.peer });
    if (mediaStream === undefined) return;
    session.answer({ mediaStream, pcConfig: { iceServers: [] } });
    this.#listenTo(session);
  }

  /** Declines, cancels or hangs up, whatever the call is at; puts an ended one away. */
  end(): void {
    const call = this.#call;
    // RFC 3261 §21.6.2: 603 says that the person declined, so that other phones of the account stop ringing too.
    if (this.#session !== undefined && call.at === 'talking') this.#hangUp(this.#session, call.peer);
    else if (this.#session !== undefined) this.#session.terminate(call.at === 'incoming' ? { status_code: 603 } : {});
    else if (call.at === 'asking') this.#finish(call.peer, undefined);
    else if (call.at === 'ended') this.#change({ at: 'none' });
  }

  toggleMute(): void {
    if (this.#call.at !== 'talking') return;
    if (this.#call.muted) this.#session?.unmute({ audio: true });
    else this.#session?.mute({ audio: true });
  }

  toggleHold(): void {
    const [call, session] = [this.#call, this.#session];
    if (call.at !== 'talking' || session === undefined) return;
    // A re-INVITE that reaches nobody would end the call.
    void this.#options.isThere().then((isThere) => {
      if (!isThere || session.isEnded()) return;
      if (call.held) session.unhold();
      else session.hold();
    });
  }

  /** Sends a key as telephone-event (RFC 4733). One that is pressed before anything can leave waits: it would be lost. */
  press(key: string): void {
    const session = this.#session;
    if (this.#call.at !== 'talking' || session === undefined) return;
    whenConnected(session.connection, () => {
      if (this.#session !== session) return;
      const transportType = C.DTMF_TRANSPORT.RFC2833;
      session.sendDTMF(key, { transportType, duration: TONE_MS, interToneGap: GAP_MS });
    });
  }

  /**
   * The WebSocket is gone. A call that is answered goes on, its sound takes another way; for one that rings here the
   * server has told the caller by now that we are out of reach, and JsSIP would ring on.
   */
  lineLost(): void {
    const [call, session] = [this.#call, this.#session];
    if (call.at !== 'incoming') return;
    this.#finish(call.peer, explainLostRinging(call.peer.name));
    session?.terminate();
  }

  /** What was heard has stopped. */
  soundStopped(): void {
    if (this.#call.at === 'talking') this.#iceRestarts?.soundStopped();
  }

  /** Registered again: says what could not be said meanwhile. */
  lineBack(ua: UA): void {
    for (const session of this.#owed) hangUp(session);
    this.#owed.clear();
    this.#iceRestarts?.lineBack();
    const peer = this.#interrupted;
    this.#interrupted = undefined;
    if (peer !== undefined && this.#call.at === 'ended' && this.#call.peer === peer) void this.dial(ua, peer.address);
  }

  /** For the person at once; the BYE leaves when it is known to arrive, or else the other side would sit there alone. */
  #hangUp(session: RTCSession, peer: Peer): void {
    this.#owed.add(session);
    this.#finish(peer, undefined);
    void this.#options.isThere().then((isThere) => {
      if (isThere && this.#owed.delete(session)) hangUp(session);
    });
  }

  #change(call: Call): void {
    this.#call = call;
    this.#options.changed(call);
  }

  /** `undefined`: there is no microphone, or the call was ended meanwhile. */
  async #askMicrophone(asking: Call & { readonly peer: Peer }): Promise<MediaStream | undefined> {
    this.#change(asking);
    const opened = await openMicrophone(this.#options.microphone);
    if (this.#call !== asking) {
      if (opened.ok) closeMicrophone(opened.stream);
      return undefined;
    }
    if (opened.ok) {
      this.#stream = opened.stream;
      this.#options.spoken(opened.stream);
      return opened.stream;
    }
    const offered = this.#session;
    this.#finish(asking.peer, opened.why);
    offered?.terminate({ status_code: 480 });
    return undefined;
  }

  #follow(session: RTCSession, peer: Peer): void {
    this.#session = session;
    // What a session that is no longer ours still reports is of no interest.
    const ours = (react: () => void) => () => {
      if (this.#session === session) react();
    };
    const talk = () => this.#change(talking(session, peer, this.#call));
    const ended = (event: EndEvent) =>
      ours(() => {
        const ringing = this.#call.at === 'calling' || this.#call.at === 'ringing';
        // JsSIP cancels what rings when the connection is lost, and says only that it was cancelled.
        this.#interrupted = ringing && !this.#options.connected() ? peer : undefined;
        const lost = { peer: peer.name, cause: C.causes.CONNECTION_ERROR, byUs: false };
        this.#finish(peer, explainEnding(this.#interrupted === undefined ? endingOf(event, peer) : lost));
      })();
    session.on(
      'progress',
      ours(() => this.#call.at === 'calling' && this.#change({ at: 'ringing', peer })),
    );
    session.on('accepted', ours(talk));
    for (const event of ['hold', 'unhold', 'muted', 'unmuted'] as const) {
      session.on(
        event,
        ours(() => this.#call.at === 'talking' && talk()),
      );
    }
    session.on('ended', ended);
    session.on('failed', ended);
    session.on('icecandidate', soonReady());
  }

  #listenTo(session: RTCSession): void {
    session.connection.addEventListener('track', ({ track, streams }) => {
      this.#options.heard(streams[0] ?? new MediaStream([track]));
    });
    this.#iceRestarts = restartsIce(session, this.#options.isThere);
  }

  #finish(peer: Peer, why: Words | undefined): void {
    const seconds = this.#call.at === 'talking' ? (Date.now() - this.#call.sinceMs) / 1000 : undefined;
    closeMicrophone(this.#stream);
    this.#session = undefined;
    this.#stream = undefined;
    this.#change({ at: 'ended', peer, why, seconds });
  }
}

/** The other side may have done so meanwhile. */
function hangUp(session: RTCSession): void {
  if (!session.isEnded()) session.terminate();
}

function talking(session: RTCSession, peer: Peer, before: Call): Call {
  const hold = session.isOnHold();
  const sinceMs = before.at === 'talking' ? before.sinceMs : Date.now();
  const muted = session.isMuted().audio === true;
  return { at: 'talking', peer, sinceMs, muted, held: hold.local, heldByPeer: hold.remote };
}

/** ICE and DTLS are done. */
function whenConnected(connection: RTCPeerConnection, action: () => void): void {
  const look = (): void => {
    if (connection.connectionState !== 'connected') return;
    connection.removeEventListener('connectionstatechange', look);
    action();
  };
  connection.addEventListener('connectionstatechange', look);
  look();
}

/** Each negotiation has a `ready` of its own: it is called some time after its first candidate. */
function soonReady(): (event: IceCandidateEvent) => void {
  let waitingFor: (() => void) | undefined;
  return ({ ready }) => {
    if (ready === waitingFor) return;
    waitingFor = ready;
    setTimeout(ready, GATHERING_MS);
  };
}

function endingOf(event: EndEvent, peer: Peer): Ending {
  // JsSIP says null where no message ended the call, although its types do not.
  const message: EndEvent['message'] | null = event.message;
  const isResponse = message !== null && 'status_code' in message && typeof message.status_code === 'number';
  return {
    peer: peer.name,
    cause: event.cause,
    byUs: `${event.originator}` === 'local',
    status: isResponse ? message.status_code : undefined,
    phrase: isResponse ? message.reason_phrase : undefined,
    warning: warningText(message?.getHeader('Warning')),
    reason: isResponse ? undefined : reasonOf(message?.getHeader('Reason')),
  };
}
