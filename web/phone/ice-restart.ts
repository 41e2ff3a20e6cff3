/**
 * ICE restart (RFC 8445 §2.4, RFC 8839 §4.4.1.1) in a call whose sound has lost its way, because this device has changed
 * its network. JsSIP restarts nothing by itself, and a browser looks for no further addresses unless it is told to.
 *
 * Left out: `failed`, some 20 s later: then JsSIP hangs up.
 */
import type { RTCSession } from 'jssip/lib/RTCSession';

/** `disconnected` comes after some seconds without an answer, and may pass by itself. */
const PATIENCE_MS = 2_000;
/** What a new way may take to be found. */
const AGAIN_MS = 8_000;
/** Another offer is under way, and is answered soon. */
const BUSY_MS = 1_000;
/** In one call, because what was heard has stopped: some telephones send nothing while nobody speaks. */
const MOST_FOR_SOUND = 3;

export interface IceRestarts {
  /** The server is back: what could not be asked for is. */
  lineBack(): void;
  /** Nothing is heard any more, though ICE sees no fault: a router may have given us another port, where nobody sends. */
  soundStopped(): void;
}

/**
 * From now on, and as long as the session lasts. `isThere`: whether the server answers now; a re-INVITE that reaches nobody
 * would end the call.
 */
export function restartsIce(session: RTCSession, isThere: () => Promise<boolean>): IceRestarts {
  const { connection } = session;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let forSound = 0;

  function later(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void restart(isLost), ms);
  }

  const isLost = (): boolean => connection.iceConnectionState === 'disconnected' && !session.isEnded();
  const isUp = (): boolean => !session.isEnded();

  async function restart(isWanted: () => boolean): Promise<void> {
    clearTimeout(timer);
    if (!isWanted() || !(await isThere()) || !isWanted()) return;
    later(session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }) ? AGAIN_MS : BUSY_MS);
  }

  connection.addEventListener('iceconnectionstatechange', () => later(PATIENCE_MS));
  return {
    lineBack: () => void restart(isLost),
    soundStopped() {
      forSound += 1;
      if (forSound <= MOST_FOR_SOUND) void restart(isUp);
    },
  };
}
