/** NATDETECT: notes whether the sender is reached over the flow it came by, whatever its Contact says (law 4). */
import type { Proxy, Request } from '../src/engine/api.ts';

export function natdetect(request: Request, proxy: Proxy): void {
  request.notes.reachByFlow = proxy.nat.mustUseFlow(request);
}
