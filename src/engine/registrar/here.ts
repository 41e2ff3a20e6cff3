/** What the registrar asks of the engine that runs. */
import type { Core } from '../core.ts';
import type { Here } from './registrar.ts';

export function hereOf({ nodes, gruus }: Core): Here {
  return {
    reach: (place) => nodes.reach(place),
    ours: (uri) => gruus.ours(uri),
  };
}
