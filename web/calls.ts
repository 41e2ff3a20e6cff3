/**
 * The one call: JsSIP's session and the microphone behind it, with each change told as a `Call`.
 * A second caller is told that we are busy. It draws nothing and rings nothing.
 */
import { C, type UA } from 'jssip';
import type { EndEvent, IceCandidateEvent, RTCSession } from 'jssip/lib/RTCSession';
import { closeMicrophone, type MicrophoneOptions, openMicrophone } from './microphone.ts';
import { type Ending, explainEnding, reasonOf, type Words, warningText } from './reasons.ts';
import type { Call, Peer } from './state.ts';

export interface CallOptions {
  readonly microphone: MicrophoneOptions;
  changed(call: Call): void;
  /** What the other side sends, as soon as there is a track. */
  heard(stream: MediaStream): void;
}

export interface Calls {
  dial(ua: UA, target: string): Promise<void>;
  /** An INVITE has arrived. */
  offer(session: RTCSession): void;
  answer(): Promise<void>;
  /** Declines, cancels or hangs up, whatever the call is at. */
  end(): void;
  toggleMute(): void;
  toggleHold(): void;
  press(key: string): void;
}

/** A host candidate comes within milliseconds; a silent STUN server would hold the INVITE back for 40 s. */
const GATHERING_MS = 300;
const TONE_MS = 160;
const GAP_MS = 70;

export function createCalls(options: CallOptions): Calls {
  let call: Call = { at: 'none' };
  let session: RTCSession | undefined;
  let stream: MediaStream | undefined;

  function change(next: Call): void {
    call = next;
    options.changed(next);
  }

  function finish(peer: Peer, why: Words | undefined): void {
    const seconds = call.at === 'talking' ? (Date.now() - call.sinceMs) / 1000 : undefined;
    closeMicrophone(stream);
    session = undefined;
    stream = undefined;
    change({ at: 'ended', peer, why, seconds });
  }

  /** Asks for the microphone; `undefined`: there is none, or the call was ended meanwhile. */
  async function listen(asking: Call & { readonly peer: Peer }): Promise<MediaStream | undefined> {
    change(asking);
    const opened = await openMicrophone(options.microphone);
    if (call !== asking) {
      if (opened.ok) closeMicrophone(opened.stream);
      return undefined;
    }
    if (opened.ok) return opened.stream;
    const refused = session;
    finish(asking.peer, opened.why);
    refused?.terminate({ status_code: 480 });
    return undefined;
  }

  function follow(followed: RTCSession, peer: Peer): void {
    // What a session that is no longer ours still reports is of no interest.
    const ours = (react: () => void) => () => {
      if (session === followed) react();
    };
    const talk = () => change(talking(followed, peer, call));
    followed.on(
      'progress',
      ours(() => call.at === 'calling' && change({ at: 'ringing', peer })),
    );
    followed.on('accepted', ours(talk));
    for (const event of ['hold', 'unhold', 'muted', 'unmuted'] as const) {
      followed.on(
        event,
        ours(() => call.at === 'talking' && talk()),
      );
    }
    const ended = (event: EndEvent) => ours(() => finish(peer, explainEnding(endingOf(event, peer))))();
    followed.on('ended', ended);
    followed.on('failed', ended);
    followed.on('icecandidate', stopWaiting());
  }

  function connect(connected: RTCSession): void {
    connected.connection.addEventListener('track', ({ track, streams }) => {
      options.heard(streams[0] ?? new MediaStream([track]));
    });
  }

  return {
    async dial(ua, target) {
      const peer = { name: target.replace(/^sips?:/i, '').replace(/@.*$/, ''), address: target };
      stream = await listen({ at: 'asking', peer });
      if (stream === undefined) return;
      change({ at: 'calling', peer });
      try {
        session = ua.call(target, { mediaStream: stream, pcConfig: { iceServers: [] } });
        follow(session, peer);
        connect(session);
      } catch (thrown) {
        const technical = thrown instanceof Error ? thrown.message : String(thrown);
        finish(peer, { title: 'This cannot be dialled', next: 'Dial a name such as bob, or a number.', technical });
      }
    },
    offer(offered) {
      if (call.at !== 'none' && call.at !== 'ended') return offered.terminate({ status_code: 486 });
      const { uri, display_name } = offered.remote_identity;
      const peer = { name: display_name || decodeURIComponent(uri.user), address: `${uri.user}@${uri.host}` };
      session = offered;
      follow(offered, peer);
      change({ at: 'incoming', peer });
    },
    async answer() {
      if (call.at !== 'incoming' || session === undefined) return;
      stream = await listen({ at: 'answering', peer: call.peer });
      if (stream === undefined) return;
      session.answer({ mediaStream: stream, pcConfig: { iceServers: [] } });
      connect(session);
    },
    end() {
      // RFC 3261 §21.6.2: 603 says that the person declined, so that other phones of the account stop ringing too.
      if (session !== undefined) return session.terminate(call.at === 'incoming' ? { status_code: 603 } : {});
      if (call.at === 'asking') finish(call.peer, undefined);
      else if (call.at === 'ended') change({ at: 'none' });
    },
    toggleMute() {
      if (call.at !== 'talking') return;
      if (call.muted) session?.unmute({ audio: true });
      else session?.mute({ audio: true });
    },
    toggleHold() {
      if (call.at !== 'talking') return;
      if (call.held) session?.unhold();
      else session?.hold();
    },
    press(key) {
      if (call.at !== 'talking') return;
      session?.sendDTMF(key, { transportType: C.DTMF_TRANSPORT.RFC2833, duration: TONE_MS, interToneGap: GAP_MS });
    },
  };
}

function talking(session: RTCSession, peer: Peer, before: Call): Call {
  const hold = session.isOnHold();
  const sinceMs = before.at === 'talking' ? before.sinceMs : Date.now();
  const muted = session.isMuted().audio === true;
  return { at: 'talking', peer, sinceMs, muted, held: hold.local, heldByPeer: hold.remote };
}

/** Each negotiation has a `ready` of its own: it is called some time after its first candidate. */
function stopWaiting(): (event: IceCandidateEvent) => void {
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
