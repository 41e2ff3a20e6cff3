/**
 * The life of a request, from top to bottom: Kamailio's `request_route`. The first route with a verdict ends it.
 *
 * A route decides and never sends; `undefined` means "not mine".
 */
import { type Proxy, type Request, refuse, type Verdict } from '../src/engine/api.ts';
import { auth } from './auth.ts';
import { gruu } from './gruu.ts';
import { limit } from './limit.ts';
import { location } from './location.ts';
import { message } from './message.ts';
import { natdetect } from './natdetect.ts';
import { nodes } from './nodes.ts';
import { presence, resubscribe } from './presence.ts';
import { registrar } from './registrar.ts';
import { replaces } from './replaces.ts';
import { reqinit } from './reqinit.ts';
import { withindlg } from './withindlg.ts';

export async function request(request: Request, proxy: Proxy): Promise<Verdict> {
  natdetect(request, proxy); // notes what it sees; decides nothing
  return (
    reqinit(request, proxy) ?? // sanity, Max-Forwards, loops, keep-alive OPTIONS
    nodes(request, proxy) ?? // another node of ours has decided already
    (await resubscribe(request, proxy)) ?? // of a dialog that ends here
    (await withindlg(request, proxy)) ?? // has a To tag: follows its dialog
    (await auth(request, proxy)) ?? // from here on: initial requests only
    (await replaces(request, proxy)) ?? // for the device that has the call which it takes the place of
    limit(request, proxy) ?? // as many calls at a time as an account may have
    (await gruu(request, proxy)) ?? // for one device of an account
    (await presence(request, proxy)) ??
    (await registrar(request, proxy)) ??
    (await message(request, proxy)) ??
    (await location(request, proxy)) ??
    refuse('not-found', 404)
  );
}
