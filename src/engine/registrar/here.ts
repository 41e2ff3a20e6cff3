/** What the registrar asks of the engine that runs. */
import type { Core } from '../core.ts';
import type { Here } from './registrar.ts';

export function hereOf({ ports, gruus }: Core): Here {
  return {
    isOpen: (flowId) => ports.network.find(flowId) !== undefined,
    ours: (uri) => gruus.ours(uri),
  };
}
