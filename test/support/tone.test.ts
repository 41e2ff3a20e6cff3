import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audibleSeconds, type Sound, secondsOf, toneShare, toneWav } from './tone.ts';

const RATE = 48_000;

function soundOf(seconds: number, sampleAt: (seconds: number) => number): Sound {
  const samples = Float32Array.from({ length: seconds * RATE }, (_, index) => sampleAt(index / RATE));
  return { rate: RATE, samples };
}

const tone =
  (hz: number, loud = 0.3) =>
  (at: number) =>
    loud * Math.sin(2 * Math.PI * hz * at);

test('a tone is found for as long as it sounds, and no other is', () => {
  const sound = soundOf(2, (at) => (at < 1 ? tone(440)(at) : 0));
  assert.equal(secondsOf(sound, 440).toFixed(1), '1.0');
  assert.equal(audibleSeconds(sound).toFixed(1), '1.0');
  assert.equal(secondsOf(sound, 1000), 0);
});

test('a tone a little off, as after resampling, is still found; one as far as the next note is not', () => {
  assert.equal(secondsOf(soundOf(1, tone(441)), 440).toFixed(1), '1.0');
  assert.equal(secondsOf(soundOf(1, tone(466)), 440), 0);
});

test('noise, silence and a tone beneath another are not clear tones', () => {
  let seed = 1;
  const noise = soundOf(1, () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647 - 0.5;
  });
  assert.equal(secondsOf(noise, 440), 0);
  assert.equal(audibleSeconds(soundOf(1, () => 0)), 0);
  assert.equal(
    secondsOf(
      soundOf(1, (at) => tone(440, 0.1)(at) + tone(1000, 0.3)(at)),
      440,
    ),
    0,
  );
});

test('the WAV file is the tone it is asked for', () => {
  const file = toneWav(1000);
  assert.equal(file.toString('latin1', 0, 4), 'RIFF');
  const samples = Float32Array.from({ length: RATE }, (_, index) => file.readInt16LE(44 + 2 * index) / 32_768);
  assert.ok(toneShare(samples, RATE, 1000) > 0.99);
});
