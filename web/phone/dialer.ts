/** The dial form: the field, its pad, the erase key, and the names that were called before. */
import { element } from '../shared/dom.ts';
import { fillPad } from './pad.ts';
import { addRecent, drawRecent } from './recent.ts';

export interface Dialer {
  /** Names to offer as long as few were called. */
  suggest(names: readonly string[]): void;
  dial(name: string): void;
}

export interface DialerOptions {
  dialled(name: string): void;
  pressed(key: string): void;
}

export function createDialer({ dialled, pressed }: DialerOptions): Dialer {
  const target = element('target', HTMLInputElement);
  const erase = element('erase', HTMLButtonElement);
  let suggested: readonly string[] = [];

  function put(text: string): void {
    target.value = text;
    erase.hidden = text === '';
  }

  function dial(name: string): void {
    const wanted = name.trim();
    if (wanted === '') return void target.focus();
    put('');
    addRecent(localStorage, wanted);
    drawRecent(localStorage, suggested, dial);
    dialled(wanted);
  }

  target.addEventListener('input', () => put(target.value));
  erase.addEventListener('click', () => {
    put(target.value.slice(0, -1));
    target.focus();
  });
  fillPad(element('dial-pad', HTMLElement), (key) => {
    put(`${target.value}${key}`);
    pressed(key);
  });
  element('dial', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    dial(target.value);
  });
  return {
    dial,
    suggest(names) {
      suggested = names;
      drawRecent(localStorage, names, dial);
    },
  };
}
