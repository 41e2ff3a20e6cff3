/** The last few dialled names as buttons. */
import { element } from '../shared/dom.ts';

const KEY = 'viaduct.recent';
const MAX_RECENT = 4;

export function addRecent(storage: Storage, name: string): void {
  const names = [name, ...recent(storage).filter((other) => other !== name)];
  storage.setItem(KEY, names.slice(0, MAX_RECENT).join('\n'));
}

function recent(storage: Storage): readonly string[] {
  return (storage.getItem(KEY) ?? '').split('\n').filter((name) => name !== '');
}

/** `suggested` fills up what was not dialled yet. */
export function drawRecent(storage: Storage, suggested: readonly string[], chosen: (name: string) => void): void {
  const group = element('recent', HTMLElement);
  const names = [...new Set([...recent(storage), ...suggested])].slice(0, MAX_RECENT);
  group.hidden = names.length === 0;
  group.replaceChildren(...names.map((name) => chip(name, chosen)));
}

function chip(name: string, chosen: (name: string) => void): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'chip';
  button.textContent = name;
  button.setAttribute('aria-label', `Call ${name}`);
  button.addEventListener('click', () => chosen(name));
  return button;
}
