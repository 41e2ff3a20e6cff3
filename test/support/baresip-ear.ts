/**
 * What a baresip hears, recorded: ALSA's `file` plugin writes what would be played into a FIFO, and reading it at the
 * pace of speech is what paces the player. (baresip's own ways end at the first re-INVITE: its recording filter is
 * dropped, and its bridge stops playing.)
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sound } from './tone.ts';

export const EAR_RATE = 48_000;
export const EAR_CHANNELS = 2;

const BYTES_PER_FRAME = 2 * EAR_CHANNELS;
const FRAMES_PER_MS = EAR_RATE / 1000;
const STEP_MS = 10;
const MAX_READ_BYTES = 65_536;
/** A full FIFO, and baresip's own buffers. */
const LAG_MS = 700;

export interface Ear {
  /** For the environment of baresip: where it finds the device `ear`. */
  readonly alsaConfig: string;
  /** Listens from now on, for so long. */
  listen(seconds: number): Promise<Sound>;
  close(): void;
}

export function openEar(directory: string): Ear {
  const [fifo, alsaConfig] = [join(directory, 'heard'), join(directory, 'alsa.conf')];
  execFileSync('mkfifo', [fifo]);
  const device = `pcm.ear { type file slave.pcm null file "${fifo}" format raw }`;
  writeFileSync(alsaConfig, `</usr/share/alsa/alsa.conf>\n${device}\n`);
  // Opened for writing too: else it ends each time that baresip closes its player.
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(MAX_READ_BYTES);
  const startedMs = performance.now();
  let taken = 0;
  let listener: ((frames: Float32Array) => void) | undefined;
  // In small steps: baresip holds 160 ms of sound, and fills with silence what it does not have in time.
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - startedMs) * FRAMES_PER_MS) * BYTES_PER_FRAME - taken;
    taken += due;
    const bytes = readSome(fd, buffer, Math.min(due, buffer.length));
    if (bytes > 0) listener?.(leftOf(buffer.subarray(0, bytes)));
  }, STEP_MS);
  return {
    alsaConfig,
    async listen(seconds) {
      await sleep(LAG_MS);
      const parts: Float32Array[] = [];
      listener = (frames) => parts.push(frames);
      await sleep(seconds * 1000);
      listener = undefined;
      return { rate: EAR_RATE, samples: joined(parts) };
    },
    close() {
      clearInterval(timer);
      closeSync(fd);
    },
  };
}

/** Frames are written whole, because they are smaller than what a pipe takes at once. */
function readSome(fd: number, buffer: Buffer, bytes: number): number {
  try {
    return readSync(fd, buffer, 0, bytes, null);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EAGAIN') return 0;
    throw thrown;
  }
}

function leftOf(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length / BYTES_PER_FRAME }, (_, index) => {
    return bytes.readInt16LE(index * BYTES_PER_FRAME) / 32_768;
  });
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of parts) {
    whole.set(one, at);
    at += one.length;
  }
  return whole;
}
