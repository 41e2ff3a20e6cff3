/** What REST may ask and change of accounts. */
import { Failure } from '../../errors.ts';
import { lower } from '../../message/ascii.ts';
import { canonicalAor, escapeUser, parseUri } from '../../message/uri.ts';
import type { Account } from '../../ports.ts';
import { readable } from '../../story/readable.ts';
import { closeAccount } from '../auth/closed-account.ts';
import type { Core } from '../core.ts';
import type { Operations, SubscriberSummary } from '../operations.ts';

type SubscriberOperations = Pick<
  Operations,
  | 'subscribers'
  | 'subscriber'
  | 'addSubscriber'
  | 'setSubscriberPassword'
  | 'setSubscriberDisabled'
  | 'removeSubscriber'
>;

type Name = Pick<Account, 'username' | 'domain'>;

export function subscriberOperations(core: Core): SubscriberOperations {
  const { subscribers } = core.ports;
  const one = async ({ username, domain }: Name): Promise<SubscriberSummary | undefined> => {
    const account = await subscribers.account(username, domain);
    return account && summary(account);
  };
  const nameOf = (address: string): Name => splitAddress(address, core.domains.first);
  return {
    subscribers: async ({ limit, after }) => {
      const found = await subscribers.page(limit, after === undefined ? undefined : nameOf(after));
      const items = found.map(summary);
      return { items, next: found.length < limit ? undefined : items.at(-1)?.address };
    },
    subscriber: async (address) => one(nameOf(address)),
    addSubscriber: async (address, password) => {
      const name = nameOf(address);
      if (!core.domains.isDomain(name.domain)) throw new Failure('malformed', `${name.domain} is not served here.`);
      return (await subscribers.add(name.username, name.domain, encode(password))) ? one(name) : undefined;
    },
    setSubscriberPassword: async (address, password) => {
      const { username, domain } = nameOf(address);
      return subscribers.setPassword(username, domain, encode(password));
    },
    setSubscriberDisabled: async (address, disabled) => {
      const name = nameOf(address);
      const done = await subscribers.setDisabled(name.username, name.domain, disabled);
      if (done && disabled) await end(core, name);
      return done;
    },
    removeSubscriber: async (address) => {
      const name = nameOf(address);
      const done = await subscribers.remove(name.username, name.domain);
      if (done) await end(core, name);
      return done;
    },
  };
}

/** A REGISTER that was let in a moment before, at whatever node, may be written after it. */
const lateMs = 1_000;

async function end(core: Core, name: Name): Promise<void> {
  const { clock, log } = core.ports;
  const aor = `sip:${escapeUser(name.username)}@${name.domain}`;
  await closeAccount(core, aor);
  clock.after(lateMs, () => {
    endLate(core, name, aor).catch((thrown: unknown) =>
      log.debug({ aor, error: String(thrown) }, 'It may be registered'),
    );
  });
}

/** Unless the account is open again. */
async function endLate(core: Core, { username, domain }: Name, aor: string): Promise<void> {
  const { location, subscribers } = core.ports;
  const [bindings, account] = await Promise.all([location.lookup(aor), subscribers.find(username, domain)]);
  if (bindings.length > 0 && account === undefined) await closeAccount(core, aor);
}

/** `alice@example.com`, `sip:alice@example.com`, or `alice` in the first domain. */
export function splitAddress(text: string, firstDomain: string): Name {
  const bare = encode(text).replace(/^sip:/i, '');
  const at = bare.lastIndexOf('@');
  const username = at < 0 ? bare : bare.slice(0, at);
  const domain = lower(at < 0 ? firstDomain : bare.slice(at + 1));
  const uri = parseUri(`sip:${escapeUser(username)}@${domain}`);
  const isOne =
    uri !== undefined && uri.port === undefined && canonicalAor(uri) !== '' && /^[^\0-\x1f\x7f]+$/.test(username);
  if (!isOne) throw new Failure('malformed', 'An address looks like alice@example.com.');
  return { username, domain };
}

function summary({ username, domain, disabled, createdAtMs, updatedAtMs }: Account): SubscriberSummary {
  return {
    address: readable(`${username}@${domain}`),
    disabled,
    createdAt: new Date(createdAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs).toISOString(),
  };
}

/** JSON is Unicode, SIP text is the bytes of its UTF-8. */
export function encode(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}
