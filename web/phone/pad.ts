/** The twelve keys of a telephone, for dialling and for tones in a call. */

const KEYS: readonly (readonly [key: string, letters: string])[] = [
  ['1', ''],
  ['2', 'abc'],
  ['3', 'def'],
  ['4', 'ghi'],
  ['5', 'jkl'],
  ['6', 'mno'],
  ['7', 'pqrs'],
  ['8', 'tuv'],
  ['9', 'wxyz'],
  ['*', ''],
  ['0', '+'],
  ['#', ''],
];

const SPOKEN: Readonly<Record<string, string>> = { '*': 'star', '#': 'hash' };

export function isKey(text: string): boolean {
  return KEYS.some(([key]) => key === text);
}

export function fillPad(pad: HTMLElement, pressed: (key: string) => void): void {
  for (const [key, letters] of KEYS) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'key';
    button.dataset.key = key;
    button.setAttribute('aria-label', SPOKEN[key] ?? key);
    button.append(part('digit', key), part('letters', letters));
    button.addEventListener('click', () => pressed(key));
    pad.append(button);
  }
}

function part(className: string, text: string): HTMLElement {
  const span = document.createElement('span');
  span.className = className;
  span.textContent = text;
  return span;
}
