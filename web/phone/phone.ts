/**
 * The phone page: puts the line, the call, the sounds and the view together and listens to buttons and keys.
 * `window.viaductPhone` shows its state and the stream that is heard, for diagnosis and for tests.
 */

import { keptTheme, showTheme } from '../shared/colours.ts';
import { loadConfig, type PhoneConfig } from '../shared/config.ts';
import { element } from '../shared/dom.ts';
import { type Account, instanceId, remember } from './account.ts';
import { Calls } from './calls.ts';
import { createDialer, type Dialer } from './dialer.ts';
import { type OpenLine, openLine } from './line.ts';
import { createMeter } from './meter.ts';
import { showNotice } from './notice.ts';
import { fillPad, isKey } from './pad.ts';
import type { Quality } from './quality.ts';
import { explainTalking } from './reasons.ts';
import { prepareSignIn } from './sign-in.ts';
import { createSounds } from './sound.ts';
import { type Call, circumstancesOf, type Line } from './state.ts';
import { type QualityWatch, watchQuality } from './stats.ts';
import { createView } from './view.ts';
import { closeNotifications, keepAccount, onWake, sleepNoMore, wakeParameters } from './wake.ts';

declare global {
  interface Window {
    viaductPhone?: { readonly line: Line; readonly call: Call; readonly remoteStream: MediaStream | undefined };
  }
}

/** How long a call that simply ended is still shown. */
const CLOSE_AFTER_MS = 2500;

class Phone {
  line: Line = { at: 'signed-out' };
  remoteStream: MediaStream | undefined;
  readonly #config: PhoneConfig;
  readonly #view = createView();
  readonly #sounds = createSounds();
  readonly #meter = createMeter({
    heard: (level) => this.#view.level('heard', level),
    spoken: (level) => this.#view.level('spoken', level),
    blocked: (isBlocked) => this.#loudspeakerBlocked(isBlocked),
  });
  readonly #dialer: Dialer;
  readonly #calls: Calls;
  #open: OpenLine | undefined;
  #account: Account | undefined;
  #watch: QualityWatch | undefined;
  #quality: Quality | undefined;
  #isBlocked = false;
  /** The server can wake us when this page is closed. */
  #isWoken = false;
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(config: PhoneConfig) {
    this.#config = config;
    this.#dialer = createDialer({ dialled: (name) => this.#dial(name), pressed: (key) => this.#sounds.key(key) });
    this.#calls = new Calls({
      microphone: { raw: new URLSearchParams(location.search).has('raw-audio'), secureUrl: config.secureUrl },
      changed: (call) => this.#callChanged(call),
      heard: (stream) => this.#heard(stream),
      spoken: (stream) => this.#meter.speak(stream),
      connected: () => this.#open?.ua.isConnected() === true,
      isThere: async () => (await this.#open?.isThere()) === true,
    });
    this.#listenToButtons();
    this.#listenToPage();
    onWake(() => this.#wake());
    prepareSignIn(config, (account, isWoken) => void this.#signIn(account, isWoken));
  }

  get call(): Call {
    return this.#calls.call;
  }

  async #signIn(account: Account, isWoken: boolean): Promise<void> {
    this.#open?.close();
    this.#open = undefined;
    this.#account = account;
    this.#view.hint(undefined);
    const wake = isWoken ? await this.#wakeParameters(account) : undefined;
    if (this.#account !== account) return;
    this.#isWoken = wake !== undefined;
    const { user, domain, displayName } = account;
    remember(localStorage, domain === this.#config.domain ? user : `${user}@${domain}`, displayName);
    this.#dialer.suggest((this.#config.accounts ?? []).map((demo) => demo.name).filter((name) => name !== user));
    try {
      this.#open = openLine({
        wsUrl: this.#config.wsUrl,
        account,
        instanceId: instanceId(localStorage),
        wake,
        changed: (line) => this.#lineChanged(line),
        incoming: (session) => this.#calls.offer(session),
      });
    } catch (thrown) {
      const technical = thrown instanceof Error ? thrown.message : String(thrown);
      const why = { title: 'This is not an account name', next: 'Use a name such as alice.', technical };
      this.#lineChanged({ at: 'signed-out', why });
    }
  }

  /** Signed in all the same where the browser will not have it: he can call, and be called while the page is open. */
  async #wakeParameters(account: Account): Promise<string | undefined> {
    try {
      const parameters = await wakeParameters(this.#config.vapidKey ?? '');
      keepAccount(account);
      return parameters;
    } catch (thrown) {
      const technical = thrown instanceof Error ? thrown.message : String(thrown);
      const title = 'This page does not ring when it is closed';
      this.#view.hint({ title, next: 'Allow notifications for this page, and sign in again.', technical });
      return undefined;
    }
  }

  /** The server holds a call for us: a line that slept is opened anew. */
  #wake(): void {
    const isIdle = this.call.at === 'none' || this.call.at === 'ended';
    if (!isIdle || this.#account === undefined) return;
    // Over a connection that is alive the REGISTER brings the call; one that died in our sleep is opened anew.
    if (this.line.at === 'registered') this.#open?.ua.register();
    else void this.#signIn(this.#account, this.#isWoken);
  }

  #signOut(): void {
    this.#isWoken = false;
    this.#account = undefined;
    this.#open?.close();
    this.#open = undefined;
    this.#lineChanged({ at: 'signed-out' });
  }

  #dial(name: string): void {
    if (this.#open !== undefined) void this.#calls.dial(this.#open.ua, name);
  }

  #press(key: string): void {
    this.#sounds.key(key);
    this.#view.pressed(key);
    this.#calls.press(key);
  }

  #lineChanged(line: Line): void {
    this.line = line;
    // A password that is wrong must not be tried at each visit.
    if (line.at === 'signed-out') void sleepNoMore();
    this.#view.line(line, this.#account);
    this.#drawQuality();
    if (line.at === 'registered' && this.#open !== undefined) this.#calls.lineBack(this.#open.ua);
    if (line.at === 'failed' && this.#open?.ua.isConnected() === false) this.#calls.lineLost();
  }

  #loudspeakerBlocked(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
    this.#drawQuality();
  }

  #watchQuality(call: Call): void {
    const { connection } = this.#calls;
    if (call.at === 'talking' && this.#watch === undefined && connection !== undefined) {
      this.#watch = watchQuality(
        connection,
        () => circumstancesOf(this.call),
        (quality) => {
          if (quality.hasStopped && !this.#quality?.hasStopped) this.#calls.soundStopped();
          this.#quality = quality;
          this.#drawQuality();
        },
      );
    }
    if (call.at === 'talking') return;
    this.#watch?.stop();
    this.#watch = undefined;
    this.#quality = undefined;
  }

  #drawQuality(): void {
    const trouble = explainTalking(this.line.at === 'registered', this.#isBlocked) ?? this.#quality?.trouble;
    this.#view.quality(this.#quality, trouble);
  }

  #callChanged(call: Call): void {
    this.#view.call(call);
    this.#ringFor(call);
    this.#watchQuality(call);
    this.#drawQuality();
    clearTimeout(this.#closing);
    if (call.at !== 'ended') return;
    this.remoteStream = undefined;
    this.#meter.stop();
    if (call.why === undefined) this.#closing = setTimeout(() => this.#calls.end(), CLOSE_AFTER_MS);
  }

  #ringFor(call: Call): void {
    if (call.at === 'incoming') void closeNotifications();
    if (call.at === 'incoming') this.#sounds.ring();
    else if (call.at === 'ringing' && this.remoteStream === undefined) this.#sounds.ringback();
    else this.#sounds.quiet();
  }

  #heard(stream: MediaStream): void {
    this.remoteStream = stream;
    this.#meter.play(stream);
    this.#sounds.quiet();
  }

  #listenToButtons(): void {
    const on = (id: string, action: () => void) => element(id, HTMLButtonElement).addEventListener('click', action);
    on('sign-out', () => this.#signOut());
    on('answer', () => void this.#calls.answer());
    on('end', () => this.#calls.end());
    on('mute', () => this.#calls.toggleMute());
    on('hold', () => this.#calls.toggleHold());
    on('keypad', () => this.#view.toggleKeypad());
    on('again', () => this.call.at === 'ended' && this.#dialer.dial(this.call.peer.address));
    fillPad(element('tone-pad', HTMLElement), (key) => this.#press(key));
  }

  #listenToPage(): void {
    addEventListener('keydown', ({ key, ctrlKey, metaKey, altKey }) => {
      // It hangs nothing up: what has ended is put away.
      if (key === 'Escape' && this.call.at === 'ended') this.#calls.end();
      if (this.call.at === 'talking' && isKey(key) && !ctrlKey && !metaKey && !altKey) this.#press(key);
    });
    // Closed with its REGISTER in force: that is how it is woken.
    addEventListener('pagehide', () => this.#isWoken || this.#open?.close());
    addEventListener('pageshow', (event) => event.persisted && location.reload());
  }
}

showTheme(keptTheme());
loadConfig().then(
  (config) => {
    window.viaductPhone = new Phone(config);
  },
  () => {
    const why = { title: 'The server does not answer', next: 'Reload the page when it is back.' };
    showNotice(element('sign-in-notice', HTMLElement), why);
  },
);
