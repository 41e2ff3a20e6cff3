/** A box that says what went wrong and what to do next. */
import { write } from '../shared/dom.ts';
import type { Words } from './reasons.ts';

export function showNotice(box: HTMLElement, why: Words | undefined): void {
  box.hidden = why === undefined;
  if (why === undefined) return;
  const part = (name: string) => box.querySelector(`[data-part="${name}"]`);
  for (const name of ['title', 'next', 'technical'] as const) {
    const target = part(name);
    if (target === null) continue;
    write(target, why[name] ?? '');
    target.toggleAttribute('hidden', (why[name] ?? '') === '');
  }
  part('link')?.remove();
  if (why.link !== undefined) part('next')?.after(linkTo(why.link));
}

function linkTo({ href, text }: NonNullable<Words['link']>): HTMLElement {
  const link = document.createElement('a');
  link.dataset.part = 'link';
  link.href = href;
  link.textContent = text;
  return link;
}
