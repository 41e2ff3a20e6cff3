/**
 * Tones made by WebAudio, so that nothing is downloaded: a ring for whom is called, a ringback for the caller, a click
 * of two tones for a pressed key. A browser keeps silent before the first click or key on the page.
 */

export interface Sounds {
  ring(): void;
  ringback(): void;
  /** Ends ringing of either kind. */
  quiet(): void;
  key(key: string): void;
}

interface Note {
  readonly hz: readonly number[];
  readonly atMs: number;
  readonly forMs: number;
}

const RING: readonly Note[] = [
  { hz: [659], atMs: 0, forMs: 180 },
  { hz: [784], atMs: 200, forMs: 180 },
  { hz: [988], atMs: 400, forMs: 420 },
];
const RINGBACK: readonly Note[] = [{ hz: [425], atMs: 0, forMs: 1000 }];
const RING_EVERY_MS = 2600;
const RINGBACK_EVERY_MS = 5000;
const VOLUME = 0.08;

/** ITU-T Q.23. */
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const KEYS = ['123', '456', '789', '*0#'];

export function createSounds(): Sounds {
  let context: AudioContext | undefined;
  let output: GainNode | undefined;
  let repeat: ReturnType<typeof setInterval> | undefined;

  function play(notes: readonly Note[]): void {
    context ??= new AudioContext();
    void context.resume();
    const gain = new GainNode(context, { gain: VOLUME });
    gain.connect(context.destination);
    output = gain;
    for (const note of notes) sound(context, gain, note);
  }

  function quiet(): void {
    clearInterval(repeat);
    repeat = undefined;
    output?.disconnect();
  }

  function playEvery(notes: readonly Note[], everyMs: number): void {
    quiet();
    play(notes);
    repeat = setInterval(() => play(notes), everyMs);
  }

  return {
    ring: () => playEvery(RING, RING_EVERY_MS),
    ringback: () => playEvery(RINGBACK, RINGBACK_EVERY_MS),
    quiet,
    key(key) {
      const row = KEYS.findIndex((keys) => keys.includes(key));
      const column = KEYS[row]?.indexOf(key) ?? -1;
      const [low, high] = [ROWS[row], COLUMNS[column]];
      if (low !== undefined && high !== undefined) play([{ hz: [low, high], atMs: 0, forMs: 120 }]);
    },
  };
}

/** Fades in and out within 15 ms: a tone that starts at once clicks. */
function sound(context: AudioContext, output: GainNode, { hz, atMs, forMs }: Note): void {
  const [start, end] = [context.currentTime + atMs / 1000, context.currentTime + (atMs + forMs) / 1000];
  const envelope = new GainNode(context, { gain: 0 });
  envelope.gain.setValueAtTime(0, start);
  envelope.gain.linearRampToValueAtTime(1, start + 0.015);
  envelope.gain.setValueAtTime(1, end - 0.015);
  envelope.gain.linearRampToValueAtTime(0, end);
  envelope.connect(output);
  for (const frequency of hz) {
    const oscillator = new OscillatorNode(context, { frequency });
    oscillator.connect(envelope);
    oscillator.start(start);
    oscillator.stop(end);
  }
}
