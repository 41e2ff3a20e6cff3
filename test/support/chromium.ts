/**
 * A headless Chromium whose microphone is a constant tone, and our phone page in it, worked as a person works it: by
 * its fields and buttons. What the page hears is read from the stream that it plays.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Scope } from './process.ts';
import { type Sound, toneWav } from './tone.ts';

export interface Chromium {
  readonly browser: Browser;
  /** A phone page of its own storage; closed with the browser. */
  openPhone(url: string, options?: PhoneOptions): Promise<PhonePage>;
}

export interface PhoneOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** `false`: the user refuses the microphone; `silent`: it gives digital silence, as one that the system has muted. */
  readonly microphone?: boolean | 'silent';
  /** The page is told this address of the WebSocket instead of the server's. */
  readonly wsUrl?: string;
}

export interface PhonePage {
  readonly page: Page;
  signIn(name: string, password: string): Promise<void>;
  dial(target: string): Promise<void>;
  press(button: PhoneButton): Promise<void>;
  /** Waits until the call is at this state, as in `web/phone/state.ts`. */
  expectCall(at: string, withinMs?: number): Promise<void>;
  expectLine(at: string, withinMs?: number): Promise<void>;
  /** Waits until this is to be read on the page. */
  expectText(text: string | RegExp, withinMs?: number): Promise<void>;
  /** Listens from now on, for so long, and tells what was heard. */
  listen(seconds: number): Promise<Sound>;
  /** Errors and warnings on the console of the page. */
  complaints(): readonly string[];
}

export type PhoneButton = 'answer' | 'end' | 'mute' | 'hold' | 'keypad' | 'again' | 'sign-out';

const EXECUTABLE = '/usr/bin/chromium';
const WITHIN_MS = 20_000;

/** Ends with the scope. */
export async function startChromium(scope: Scope, toneHz: number): Promise<Chromium> {
  const directory = await mkdtemp(join(tmpdir(), 'viaduct-chromium-'));
  const microphone = join(directory, 'tone.wav');
  await writeFile(microphone, toneWav(toneHz));
  const browser = await chromium.launch({ executablePath: EXECUTABLE, headless: true, args: flags(microphone) });
  scope.after(async () => {
    await browser.close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    browser,
    openPhone: async (url, options = {}) => operate(await browser.newContext(contextOf(options)), url, options),
  };
}

/** Playwright's own flags already keep Chromium from talking to anybody in the background. */
function flags(microphone: string): string[] {
  return [
    '--no-sandbox',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${microphone}`,
    // Without it there is no candidate where 127.0.0.1 is the only address.
    '--allow-loopback-in-peer-connection',
    '--autoplay-policy=no-user-gesture-required',
    // The certificate is of a CA of our own; Playwright's option does not reach WebSockets.
    '--ignore-certificate-errors',
  ];
}

function contextOf({ width = 1280, height = 800, dark = false, wsUrl }: PhoneOptions) {
  return {
    // It allows the server's own WebSocket only.
    bypassCSP: wsUrl !== undefined,
    viewport: { width, height },
    colorScheme: dark ? ('dark' as const) : ('light' as const),
    // A colour on its way to another is no colour to be measured.
    reducedMotion: 'reduce' as const,
    ignoreHTTPSErrors: true,
    deviceScaleFactor: 1,
  };
}

async function operate(context: BrowserContext, url: string, options: PhoneOptions): Promise<PhonePage> {
  if (options.microphone !== false) await context.grantPermissions(['microphone'], { origin: new URL(url).origin });
  const page = await context.newPage();
  page.setDefaultTimeout(WITHIN_MS);
  if (options.microphone === false) await page.addInitScript(REFUSE_MICROPHONE);
  if (options.microphone === 'silent') await page.addInitScript(SILENT_MICROPHONE);
  if (options.wsUrl !== undefined) await tellWebSocket(page, options.wsUrl);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  // Without the browser's noise suppression, which takes constant tones away.
  const address = new URL(url);
  address.searchParams.set('raw-audio', '');
  await page.goto(address.href);
  // Asked again and again, because a predicate in the page is an eval, which our Content-Security-Policy forbids.
  const reaches = async (what: 'line' | 'call', wanted: string, withinMs: number) => {
    const until = Date.now() + withinMs;
    while ((await page.evaluate<string>(`window.viaductPhone?.${what}.at`)) !== wanted) {
      if (Date.now() > until) throw new Error(await lateText(page, `${what} is not ${wanted}`, complaints));
      await sleep(50);
    }
  };
  return {
    page,
    async signIn(name, password) {
      await page.fill('#name', name);
      await page.fill('#password', password);
      await page.press('#password', 'Enter');
    },
    async dial(target) {
      await page.fill('#target', target);
      await page.press('#target', 'Enter');
    },
    press: (button) => page.click(`#${button}`),
    expectCall: (at, withinMs = WITHIN_MS) => reaches('call', at, withinMs),
    expectLine: (at, withinMs = WITHIN_MS) => reaches('line', at, withinMs),
    async expectText(text, withinMs = WITHIN_MS) {
      await page.locator('#phone').getByText(text).filter({ visible: true }).first().waitFor({ timeout: withinMs });
    },
    async listen(seconds) {
      const samples = await page.evaluate<number[]>(listenScript(seconds));
      return { rate: PAGE_RATE, samples: Float32Array.from(samples) };
    },
    complaints: () => complaints,
  };
}

async function lateText(page: Page, what: string, complaints: readonly string[]): Promise<string> {
  const state = await page.evaluate<string>('JSON.stringify([viaductPhone.line, viaductPhone.call])');
  return `${what}: ${[state, ...complaints].join('\n')}`;
}

const REFUSE_MICROPHONE = `navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException('Permission denied', 'NotAllowedError');
};`;

const SILENT_MICROPHONE = `navigator.mediaDevices.getUserMedia = async () =>
  new AudioContext().createMediaStreamDestination().stream;`;

async function tellWebSocket(page: Page, wsUrl: string): Promise<void> {
  await page.route('**/phone/config.json', async (route) => {
    const config: unknown = await (await route.fetch()).json();
    await route.fulfill({ json: Object.assign({}, config, { wsUrl }) });
  });
}

const PAGE_RATE = 48_000;

/** An analyser holds the last 32,768 samples: read them each time that they are new. A held call has no track. */
function listenScript(seconds: number): string {
  return `(async () => {
    const stream = window.viaductPhone.remoteStream;
    if (stream === undefined || stream.getAudioTracks().length === 0) return [];
    const context = new AudioContext({ sampleRate: ${PAGE_RATE} });
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 32768 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(32768);
    const heard = [];
    while (heard.length < ${Math.round(seconds * PAGE_RATE)}) {
      await new Promise((resolve) => setTimeout(resolve, 32768 / ${PAGE_RATE / 1000} + 20));
      analyser.getFloatTimeDomainData(samples);
      heard.push(...Array.from(samples, (sample) => Math.round(sample * 1e4) / 1e4));
    }
    await context.close();
    return heard;
  })()`;
}
