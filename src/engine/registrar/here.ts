/** What the registrar asks of the engine that runs. */
import type { Core } from '../core.ts';
import type { Here } from './registrar.ts';

export function hereOf({ nodeRouting, gruus }: Core): Here {
  return {
    reach: (place) => nodeRouting.reach(place),
    ours: (uri) => gruus.ours(uri),
  };
}
