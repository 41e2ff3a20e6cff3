/**
 * Which view is shown: the fragment of the address, as in `/#/calls/abc`. A fragment needs no route of the server, works
 * the same on the HTTP and the wss port, and makes every view a link that can be sent to a colleague.
 */
import { signal } from '@preact/signals';

export interface Place {
  /** `calls` of `#/calls/abc`; empty is the overview. */
  readonly view: string;
  readonly id: string | undefined;
}

export function placeOf(fragment: string): Place {
  const [view = '', id] = fragment.replace(/^#?\/?/, '').split('/');
  return { view, id: id === undefined || id === '' ? undefined : decoded(id) };
}

export function hrefOf(view: string, id?: string): string {
  return id === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(id)}`;
}

export const place = signal(placeOf(location.hash));

window.addEventListener('hashchange', () => {
  place.value = placeOf(location.hash);
});

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
