/**
 * Who we are: what the form, the address of the page and the last visit say. The password is never kept;
 * the instance id is (RFC 5626): with it a reloaded page replaces its own registration instead of adding another.
 */

export interface Account {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly displayName: string;
}

/** `alice`, `alice@example.com` or `sip:alice@example.com`. */
export function accountOf(name: string, password: string, displayName: string, defaultDomain: string): Account {
  const bare = name.trim().replace(/^sips?:/i, '');
  const at = bare.lastIndexOf('@');
  const user = at < 0 ? bare : bare.slice(0, at);
  const domain = at < 0 ? defaultDomain : bare.slice(at + 1);
  return { user, domain: domain === '' ? defaultDomain : domain, password, displayName: displayName.trim() };
}

/** `#user=alice&password=…&domain=…`; a fragment never leaves the browser. */
export function accountOfFragment(fragment: string, defaultDomain: string): Account | undefined {
  const given = new URLSearchParams(fragment.replace(/^#\??/, ''));
  const user = given.get('user') ?? '';
  if (user === '') return undefined;
  const domain = given.get('domain') ?? defaultDomain;
  return accountOf(user, given.get('password') ?? '', given.get('name') ?? '', domain);
}

export interface Remembered {
  readonly name: string;
  readonly displayName: string;
}

const keys = { name: 'viaduct.name', displayName: 'viaduct.display-name', instance: 'viaduct.instance' } as const;

export function remembered(storage: Storage): Remembered {
  return { name: storage.getItem(keys.name) ?? '', displayName: storage.getItem(keys.displayName) ?? '' };
}

export function remember(storage: Storage, name: string, displayName: string): void {
  storage.setItem(keys.name, name);
  storage.setItem(keys.displayName, displayName);
}

export function instanceId(storage: Storage): string {
  const known = storage.getItem(keys.instance);
  if (known !== null) return known;
  const made = newUuid();
  storage.setItem(keys.instance, made);
  return made;
}

/** Version 4 (RFC 9562 §5.4), by hand because crypto.randomUUID is missing where a page came over plain http. */
function newUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes.set([((bytes[6] ?? 0) & 0x0f) | 0x40], 6);
  bytes.set([((bytes[8] ?? 0) & 0x3f) | 0x80], 8);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
