/** The microphone, and why there is none. */
import { explainMicrophone, type Words } from './reasons.ts';

export interface MicrophoneOptions {
  /** Without the browser's echo, noise and gain processing, which removes constant tones (`?raw-audio`). */
  readonly raw: boolean;
  /** Where this page may use a microphone, if not here. */
  readonly secureUrl: string | undefined;
}

export type Microphone =
  | { readonly ok: true; readonly stream: MediaStream }
  | { readonly ok: false; readonly why: Words };

export async function openMicrophone({ raw, secureUrl }: MicrophoneOptions): Promise<Microphone> {
  if (!window.isSecureContext) return { ok: false, why: explainMicrophone('InsecureContext', secureUrl) };
  const processing = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  try {
    return { ok: true, stream: await navigator.mediaDevices.getUserMedia({ audio: raw ? processing : true }) };
  } catch (thrown) {
    const name = thrown instanceof Error ? thrown.name : String(thrown);
    return { ok: false, why: explainMicrophone(name, secureUrl) };
  }
}

export function closeMicrophone(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
