/** Draws the state of the phone into phone.html, and moves the focus when what had it disappears. */

import { element, paintAvatar, write } from '../shared/dom.ts';
import type { Account } from './account.ts';
import { showNotice } from './notice.ts';
import type { Quality } from './quality.ts';
import type { Words } from './reasons.ts';
import { type Call, duration, type Line, sentenceOfCall, sentenceOfLine } from './state.ts';

export interface View {
  line(line: Line, account: Account | undefined): void;
  call(call: Call): void;
  /** 0 to 1: how loud the other side is, or the microphone. */
  level(who: 'heard' | 'spoken', value: number): void;
  /** How the call sounds, and what is wrong with it. */
  quality(quality: Quality | undefined, trouble: Words | undefined): void;
  /** What does not work, though the line does. */
  hint(why: Words | undefined): void;
  toggleKeypad(): void;
  pressed(key: string): void;
}

export function createView(): View {
  const phone = element('phone', HTMLElement);
  const views = {
    'sign-in': element('view-sign-in', HTMLElement),
    dial: element('view-dial', HTMLElement),
    call: element('view-call', HTMLElement),
  } as const;
  const status = element('status', HTMLElement);
  const parts = callParts();
  let line: Line = { at: 'signed-out' };
  let call: Call = { at: 'none' };
  let shown: keyof typeof views | undefined;
  let tick: ReturnType<typeof setInterval> | undefined;

  function show(): void {
    const next = call.at !== 'none' ? 'call' : line.at === 'signed-out' ? 'sign-in' : 'dial';
    phone.dataset.line = line.at;
    phone.dataset.call = call.at;
    phone.toggleAttribute('data-quiet', call.at === 'talking' && (call.held || call.heldByPeer));
    for (const [name, view] of Object.entries(views)) view.hidden = name !== next;
    if (next !== shown) focusOf(next).focus();
    shown = next;
  }

  return {
    line(next, account) {
      line = next;
      drawLine(next, account);
      if (call.at === 'none') write(status, sentenceOfLine(next));
      show();
    },
    call(next) {
      const same = next.at === call.at;
      call = next;
      write(status, sentenceOfCall(next));
      document.title = next.at === 'incoming' ? `☎ ${next.peer.name} is calling` : 'Phone · Viaduct';
      drawCall(parts, next, same);
      clearInterval(tick);
      if (next.at === 'talking') {
        const draw = () => write(parts.clock, duration((Date.now() - next.sinceMs) / 1000));
        draw();
        tick = setInterval(draw, 500);
      }
      show();
      if (next.at !== 'none' && parts.focusLost()) views.call.focus();
    },
    level: (who, value) => phone.style.setProperty(`--${who}`, value.toFixed(2)),
    quality(quality, trouble) {
      const talking = call.at === 'talking';
      const wrong = talking ? trouble : undefined;
      drawQuality(parts, quality, call);
      showNotice(parts.trouble, wrong);
      phone.toggleAttribute('data-trouble', wrong !== undefined);
      parts.hold.setAttribute('aria-disabled', String(line.at !== 'registered'));
      if (talking) write(status, wrong === undefined ? sentenceOfCall(call) : `${wrong.title}. ${wrong.next}`);
    },
    hint: (why) => showNotice(element('wake-notice', HTMLElement), why),
    toggleKeypad() {
      parts.tones.hidden = !parts.tones.hidden;
      parts.pressed.hidden = parts.tones.hidden;
      phone.toggleAttribute('data-keypad', !parts.tones.hidden);
      parts.keypad.setAttribute('aria-pressed', String(!parts.tones.hidden));
    },
    pressed: (key) => write(parts.pressed, `${parts.pressed.textContent ?? ''}${key}`.slice(-18)),
  };
}

function focusOf(view: 'sign-in' | 'dial' | 'call'): HTMLElement {
  if (view === 'call') return element('view-call', HTMLElement);
  if (view === 'dial') return element('target', HTMLElement);
  const name = element('name', HTMLInputElement);
  return name.value === '' ? name : element('password', HTMLElement);
}

function drawLine(line: Line, account: Account | undefined): void {
  const why = 'why' in line ? line.why : undefined;
  showNotice(element('sign-in-notice', HTMLElement), line.at === 'signed-out' ? why : undefined);
  showNotice(element('line-notice', HTMLElement), line.at === 'failed' ? why : undefined);
  if (account === undefined) return;
  const name = account.displayName === '' ? account.user : account.displayName;
  paintAvatar(element('my-avatar', HTMLElement), name);
  write(element('my-name', HTMLElement), name);
  const text =
    line.at === 'failed' ? 'Not registered' : `${sentenceOfLine(line)}${line.at === 'registered' ? '' : '…'}`;
  write(element('line-state', HTMLElement), text);
  element('my-name', HTMLElement).title = `${account.user}@${account.domain}`;
}

function callParts() {
  const view = element('view-call', HTMLElement);
  return {
    avatar: element('peer-avatar', HTMLElement),
    name: element('peer-name', HTMLElement),
    state: element('call-state', HTMLElement),
    clock: element('clock', HTMLElement),
    quality: element('quality', HTMLElement),
    qualityText: element('quality-text', HTMLElement),
    trouble: element('call-notice', HTMLElement),
    ending: element('ending', HTMLElement),
    tones: element('tone-pad', HTMLElement),
    pressed: element('pressed', HTMLElement),
    tools: element('tools', HTMLElement),
    mute: element('mute', HTMLButtonElement),
    hold: element('hold', HTMLButtonElement),
    keypad: element('keypad', HTMLButtonElement),
    answer: element('answer', HTMLButtonElement),
    again: element('again', HTMLButtonElement),
    end: element('end', HTMLButtonElement),
    endLabel: element('end-label', HTMLElement),
    /** The focused button was hidden, or there is no focus. */
    focusLost: () => !view.contains(document.activeElement) || document.activeElement?.checkVisibility() === false,
  };
}

function drawCall(parts: ReturnType<typeof callParts>, call: Call, same: boolean): void {
  if (call.at === 'none') return;
  paintAvatar(parts.avatar, call.peer.name);
  const why = call.at === 'ended' ? call.why : undefined;
  write(parts.name, why?.title ?? call.peer.name);
  write(parts.state, why === undefined ? stateText(call) : '');
  showNotice(parts.ending, why);
  parts.clock.hidden = call.at !== 'talking';
  parts.tools.hidden = call.at !== 'talking';
  parts.answer.hidden = call.at !== 'incoming';
  parts.again.hidden = call.at !== 'ended';
  write(parts.endLabel, END_LABELS[call.at]);
  if (call.at === 'talking') {
    parts.mute.setAttribute('aria-pressed', String(call.muted));
    parts.hold.setAttribute('aria-pressed', String(call.held));
  }
  if (!same) closeKeypad(parts);
}

function drawQuality(parts: ReturnType<typeof callParts>, quality: Quality | undefined, call: Call): void {
  parts.quality.hidden = call.at !== 'talking' || call.held || call.heldByPeer;
  parts.quality.dataset.grade = quality?.grade ?? 'measuring';
  write(parts.qualityText, quality?.text || 'Measuring…');
}

function closeKeypad(parts: ReturnType<typeof callParts>): void {
  if (parts.keypad.getAttribute('aria-pressed') === 'true') parts.keypad.click();
  write(parts.pressed, '');
}

const END_LABELS = {
  asking: 'Cancel',
  calling: 'Cancel',
  ringing: 'Cancel',
  incoming: 'Decline',
  answering: 'Hang up',
  talking: 'Hang up',
  ended: 'Close',
} as const;

function stateText(call: Exclude<Call, { readonly at: 'none' }>): string {
  switch (call.at) {
    case 'asking':
      return 'Allow the microphone…';
    case 'calling':
      return 'Calling…';
    case 'ringing':
      return 'Ringing…';
    case 'incoming':
      return 'is calling you';
    case 'answering':
      return 'Connecting…';
    case 'talking':
      return call.held ? 'On hold' : call.heldByPeer ? 'You are on hold' : call.muted ? 'Microphone off' : 'In call';
    case 'ended':
      return call.seconds === undefined ? 'Call ended' : `Call ended · ${duration(call.seconds)}`;
    default:
      return call satisfies never;
  }
}
