/** The keyboard: a digit for each view, `/` for the filter, `?` for this list. Nothing while somebody types. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { hrefOf } from './place.ts';
import { views } from './views.ts';

const help = signal(false);

export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (!press(event.key)) return;
    event.preventDefault();
  });
}

export function showKeys(): void {
  help.value = true;
}

/** Whether the key means something here. */
function press(key: string): boolean {
  const view = views.value[Number(key) - 1];
  if (key === '?') help.value = !help.value;
  else if (key === '/') return focusFilter();
  else if (view !== undefined) location.hash = hrefOf(view.path);
  else return false;
  return true;
}

function focusFilter(): boolean {
  const filter = document.querySelector('[data-shortcut="/"]');
  if (!(filter instanceof HTMLElement)) return false;
  filter.focus();
  return true;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  );
}

export function KeyHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = help.value;
  useEffect(() => {
    if (open && dialog.current?.open === false) dialog.current.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} onClose={() => (help.value = false)} aria-labelledby="keys-title">
      <h2 id="keys-title">Keyboard</h2>
      <dl>
        {views.value.map(({ path, title }, index) => (
          <Key key={path} name={String(index + 1)} does={title} />
        ))}
        <Key name="/" does="Filter the list" />
        <Key name="↑ ↓" does="From row to row" />
        <Key name="Enter" does="Open the row" />
        <Key name="?" does="These keys" />
        <Key name="Esc" does="Close" />
      </dl>
      <form method="dialog">
        <button class="chip" type="submit">
          Close
        </button>
      </form>
    </dialog>
  );
}

function Key({ name, does }: { readonly name: string; readonly does: string }) {
  return (
    <>
      <dt>
        <kbd>{name}</kbd>
      </dt>
      <dd>{does}</dd>
    </>
  );
}
