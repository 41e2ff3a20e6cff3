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

/**
 * From now on, and as long as the session lasts. `isThere`: whether the server answers now; a re-INVITE that reaches nobody
 * would end the call. Returns what is to be called when it is back.
 */
export function restartsIce(session: RTCSession, isThere: () => Promise<boolean>): () => void {
  const { connection } = session;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function later(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void restart(), ms);
  }

  const isLost = (): boolean => connection.iceConnectionState === 'disconnected' && !session.isEnded();

  async function restart(): Promise<void> {
    clearTimeout(timer);
    if (!isLost() || !(await isThere()) || !isLost()) return;
    later(session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }) ? AGAIN_MS : BUSY_MS);
  }

  connection.addEventListener('iceconnectionstatechange', () => later(PATIENCE_MS));
  return () => void restart();
}
