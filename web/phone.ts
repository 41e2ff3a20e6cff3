/**
 * The phone page: puts the line, the call, the sounds and the view together and listens to buttons and keys.
 * `window.viaductPhone` shows its state and the stream that is heard, for diagnosis and for tests.
 */
import { type Account, accountOf, accountOfFragment, instanceId, remember, remembered } from './account.ts';
import { createCalls } from './calls.ts';
import { loadConfig, type PhoneConfig } from './config.ts';
import { element } from './dom.ts';
import { type OpenLine, openLine } from './line.ts';
import { createMeter } from './meter.ts';
import { fillPad, isKey } from './pad.ts';
import { addRecent, drawRecent } from './recent.ts';
import { createSounds } from './sound.ts';
import type { Call, Line } from './state.ts';
import { createView } from './view.ts';

declare global {
  interface Window {
    viaductPhone?: { readonly line: Line; readonly call: Call; readonly remoteStream: MediaStream | undefined };
  }
}

const CLOSE_AFTER_MS = 2500;

function start(config: PhoneConfig): void {
  const view = createView();
  const sounds = createSounds();
  const meter = createMeter(view.level);
  const target = element('target', HTMLInputElement);
  let line: Line = { at: 'signed-out' };
  let call: Call = { at: 'none' };
  let open: OpenLine | undefined;
  let account: Account | undefined;
  let remoteStream: MediaStream | undefined;
  let closing: ReturnType<typeof setTimeout> | undefined;

  const calls = createCalls({
    microphone: { raw: new URLSearchParams(location.search).has('raw-audio'), secureUrl: config.secureUrl },
    heard(stream) {
      remoteStream = stream;
      meter.play(stream);
      sounds.quiet();
    },
    changed(next) {
      call = next;
      view.call(next);
      ringFor(next);
      clearTimeout(closing);
      if (next.at !== 'ended') return;
      remoteStream = undefined;
      meter.stop();
      if (next.why === undefined) closing = setTimeout(() => calls.end(), CLOSE_AFTER_MS);
    },
  });

  function ringFor(next: Call): void {
    if (next.at === 'incoming') sounds.ring();
    else if (next.at === 'ringing' && remoteStream === undefined) sounds.ringback();
    else sounds.quiet();
  }

  function lineChanged(next: Line): void {
    line = next;
    view.line(next, account);
  }

  function signIn(next: Account): void {
    open?.close();
    account = next;
    remember(localStorage, next.domain === config.domain ? next.user : `${next.user}@${next.domain}`, next.displayName);
    drawRecent(localStorage, suggestions(config, next), dial);
    try {
      const options = { wsUrl: config.wsUrl, account: next, instanceId: instanceId(localStorage) };
      open = openLine({ ...options, changed: lineChanged, incoming: (session) => calls.offer(session) });
    } catch (thrown) {
      const technical = thrown instanceof Error ? thrown.message : String(thrown);
      lineChanged({
        at: 'signed-out',
        why: { title: 'This is not an account name', next: 'Use a name such as alice.', technical },
      });
    }
  }

  function signOut(): void {
    calls.end();
    open?.close();
    open = undefined;
    lineChanged({ at: 'signed-out' });
  }

  function dial(name: string): void {
    const wanted = name.trim();
    if (wanted === '') target.focus();
    if (wanted === '' || open === undefined) return;
    target.value = '';
    showErase();
    addRecent(localStorage, wanted);
    if (account !== undefined) drawRecent(localStorage, suggestions(config, account), dial);
    void calls.dial(open.ua, wanted);
  }

  function press(key: string): void {
    sounds.key(key);
    view.pressed(key);
    calls.press(key);
  }

  function showErase(): void {
    element('erase', HTMLButtonElement).hidden = target.value === '';
  }

  window.viaductPhone = {
    get line() {
      return line;
    },
    get call() {
      return call;
    },
    get remoteStream() {
      return remoteStream;
    },
  };

  const on = (id: string, action: () => void) => element(id, HTMLButtonElement).addEventListener('click', action);
  on('sign-out', signOut);
  on('answer', () => void calls.answer());
  on('end', () => calls.end());
  on('mute', () => calls.toggleMute());
  on('hold', () => calls.toggleHold());
  on('keypad', () => view.toggleKeypad());
  on('again', () => call.at === 'ended' && dial(call.peer.address));
  on('erase', () => {
    target.value = target.value.slice(0, -1);
    showErase();
    target.focus();
  });
  target.addEventListener('input', showErase);
  fillPad(element('dial-pad', HTMLElement), (key) => {
    target.value += key;
    sounds.key(key);
    showErase();
  });
  fillPad(element('tone-pad', HTMLElement), press);
  document.addEventListener('keydown', (event) => {
    if (call.at === 'talking' && isKey(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey)
      press(event.key);
  });
  element('dial', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    dial(target.value);
  });
  addEventListener('pagehide', () => open?.close());
  addEventListener('pageshow', (event) => event.persisted && location.reload());
  prepareSignIn(config, signIn);
}

/** Whom to offer before anybody was called: the other demonstration accounts. */
function suggestions(config: PhoneConfig, account: Account): readonly string[] {
  return (config.accounts ?? []).map((demo) => demo.name).filter((name) => name !== account.user);
}

function prepareSignIn(config: PhoneConfig, signIn: (account: Account) => void): void {
  const [name, password] = [element('name', HTMLInputElement), element('password', HTMLInputElement)];
  const displayName = element('display-name', HTMLInputElement);
  const known = remembered(localStorage);
  element('domain', HTMLElement).textContent = config.domain;
  [name.value, displayName.value] = [known.name, known.displayName];
  element('sign-in', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const empty = [name, password].find((field) => field.value.trim() === '');
    empty?.focus();
    if (empty !== undefined) return;
    signIn(accountOf(name.value, password.value, displayName.value, config.domain));
    password.value = '';
  });
  for (const account of config.accounts ?? []) {
    addDemo(account.name, () => signIn(accountOf(account.name, account.password, '', config.domain)));
  }
  const given = accountOfFragment(location.hash, config.domain);
  (name.value === '' ? name : password).focus();
  if (given === undefined) return;
  // The password must not stay in the history; and outside a demonstration a link signs nobody in.
  history.replaceState(null, '', location.pathname + location.search);
  name.value = given.user;
  if (config.demo && given.password !== '') signIn(given);
}

function addDemo(name: string, chosen: () => void): void {
  element('demo', HTMLElement).hidden = false;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'chip';
  button.textContent = name;
  button.addEventListener('click', chosen);
  element('demo-accounts', HTMLElement).append(button);
}

loadConfig().then(start, () => {
  const notice = element('sign-in-notice', HTMLElement);
  notice.hidden = false;
  notice.textContent = 'The server does not answer. Reload the page when it is back.';
});
