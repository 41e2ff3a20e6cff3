/** What REST may ask of registrations. */
import type { Binding } from '../../ports.ts';
import { publicGruu } from '../../registrar/gruu.ts';
import { withoutPush } from '../../story/credentials.ts';
import type { Core } from '../core.ts';
import type { Page, PageRequest, Registration } from '../operations.ts';

export async function registrations(core: Core, page: PageRequest): Promise<Page<Registration>> {
  const bindings = await core.ports.location.list(page);
  const next = bindings.length < page.limit ? undefined : bindings.at(-1)?.aor;
  return { items: bindings.filter((one) => !core.registrar.isGone(one)).map(registration), next };
}

function registration(binding: Binding): Registration {
  const { aor, contact, transport, source, userAgent, media, q } = binding;
  const expiresAt = new Date(binding.expiresAtMs).toISOString();
  const gruu = publicGruu(binding);
  return {
    ...{ aor, contact: withoutPush(contact), publicGruu: gruu },
    ...{ transport, source, userAgent, media, q, expiresAt },
  };
}
