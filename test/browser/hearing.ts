/** Who hears what: the page says one tone, the other side says another. */
import assert from 'node:assert/strict';
import { audibleSeconds, type Sound, secondsOf } from '../support/tone.ts';

export const PAGE_HZ = 440;
export const PHONE_HZ = 1000;

interface Listener {
  listen(seconds: number): Promise<Sound>;
}

const LISTEN_SECONDS = 1.5;
/** Less than all: a busy machine drops a frame now and then. */
const CLEAR_SECONDS = 0.8;
const STRAY_SECONDS = 0.2;
/** 18 s: media may start a moment after the signalling says so, and on a busy machine later. */
const ATTEMPTS = 12;

interface Expected {
  readonly pageHears?: boolean;
  readonly phoneHears?: boolean;
}

export async function assertHear(page: Listener, phone: Listener, expected: Expected = {}): Promise<void> {
  const { pageHears = true, phoneHears = true } = expected;
  let report = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [atPage, atPhone] = await Promise.all([page.listen(LISTEN_SECONDS), phone.listen(LISTEN_SECONDS)]);
    const right = matches(atPage, PHONE_HZ, pageHears) && matches(atPhone, PAGE_HZ, phoneHears);
    // Nobody hears himself.
    if (right && secondsOf(atPage, PAGE_HZ) === 0 && secondsOf(atPhone, PHONE_HZ) === 0) return;
    report = `page: ${described(atPage, PHONE_HZ)}; other side: ${described(atPhone, PAGE_HZ)}`;
  }
  assert.fail(`they do not hear each other as they should: ${report}`);
}

export async function assertSilence(page: Listener, phone: Listener): Promise<void> {
  await assertHear(page, phone, { pageHears: false, phoneHears: false });
}

function matches(sound: Sound, hz: number, hears: boolean): boolean {
  return hears ? secondsOf(sound, hz) >= CLEAR_SECONDS : audibleSeconds(sound) <= STRAY_SECONDS;
}

function described(sound: Sound, hz: number): string {
  return `${secondsOf(sound, hz).toFixed(1)} s of ${hz} Hz, ${audibleSeconds(sound).toFixed(1)} s audible`;
}
