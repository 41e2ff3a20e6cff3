/** The hosts file of the system (`man 5 hosts`): names that a name server does not know, `localhost` first of all. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

export async function hostsFile(path: string, name: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return [];
  }
  return addressesIn(text, name);
}

export function addressesIn(text: string, name: string): readonly string[] {
  const lines = text.split('\n').map((line) => (line.split('#')[0] ?? '').trim().split(/\s+/));
  return lines.flatMap(([address = '', ...names]) =>
    isIP(address) !== 0 && names.some((other) => other.toLowerCase() === name) ? [address] : [],
  );
}
