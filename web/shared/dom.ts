/** Finding elements of our own pages: a missing one is a bug of the page and says so at once. */

export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/** Writes text only when it differs, so that a screen reader does not read it twice. */
export function write(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Up to two letters for an avatar. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => word !== '');
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => word[0]) : [words[0]?.slice(0, 1)];
  return letters.join('').toUpperCase();
}

/** A stable hue for a name, so that one person has one colour. */
export function hue(name: string): number {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return sum;
}

export function paintAvatar(target: HTMLElement, name: string): void {
  write(target, initials(name));
  target.style.setProperty('--hue', String(hue(name)));
}
