/**
 * Which tone is in a sound? Goertzel's algorithm over windows of 100 ms: the power of one frequency against all power.
 * And a WAV file with one tone, to be the microphone of a browser.
 */

export interface Sound {
  readonly rate: number;
  /** -1 to 1, one channel. */
  readonly samples: Float32Array;
}

const WINDOW_SECONDS = 0.1;
const AUDIBLE = 0.01;
const CLEAR = 0.6;

/** How many seconds of the sound are this tone, audible and clear of others. */
export function secondsOf(sound: Sound, hz: number): number {
  return windows(sound).filter((window) => isTone(window, sound.rate, hz)).length * WINDOW_SECONDS;
}

/** How many seconds are louder than silence, whatever is heard. */
export function audibleSeconds(sound: Sound): number {
  return windows(sound).filter((window) => loudness(window) >= AUDIBLE).length * WINDOW_SECONDS;
}

function isTone(window: Float32Array, rate: number, hz: number): boolean {
  return loudness(window) >= AUDIBLE && toneShare(window, rate, hz) >= CLEAR;
}

function loudness(window: Float32Array): number {
  return Math.sqrt(window.reduce((sum, sample) => sum + sample * sample, 0) / window.length);
}

/** 1 is a pure tone of this frequency, 0 is none of it. */
export function toneShare(samples: Float32Array, rate: number, hz: number): number {
  const total = samples.reduce((sum, sample) => sum + sample * sample, 0);
  if (total === 0) return 0;
  const factor = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let last = 0;
  let before = 0;
  for (const sample of samples) [before, last] = [last, sample + factor * last - before];
  const power = last * last + before * before - factor * last * before;
  return Math.min(1, (2 * power) / (samples.length * total));
}

function windows({ rate, samples }: Sound): readonly Float32Array[] {
  const size = Math.round(rate * WINDOW_SECONDS);
  const count = Math.floor(samples.length / size);
  return Array.from({ length: count }, (_, index) => samples.subarray(index * size, (index + 1) * size));
}

/** A tone of whole periods, so that it repeats without a click. */
export function toneWav(hz: number, rate = 48_000): Buffer {
  const count = rate;
  const body = Buffer.alloc(44 + 2 * count);
  body.write('RIFF', 0, 'latin1');
  body.writeUInt32LE(36 + 2 * count, 4);
  body.write('WAVEfmt ', 8, 'latin1');
  body.writeUInt32LE(16, 16);
  body.writeUInt16LE(1, 20);
  body.writeUInt16LE(1, 22);
  body.writeUInt32LE(rate, 24);
  body.writeUInt32LE(2 * rate, 28);
  body.writeUInt16LE(2, 32);
  body.writeUInt16LE(16, 34);
  body.write('data', 36, 'latin1');
  body.writeUInt32LE(2 * count, 40);
  for (let index = 0; index < count; index++) {
    body.writeInt16LE(Math.round(16_000 * Math.sin((2 * Math.PI * hz * index) / rate)), 44 + 2 * index);
  }
  return body;
}
