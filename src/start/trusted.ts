/** TRUSTED as a question about an address. Answers are remembered: a trunk sends thousands of messages from one. */
import { BlockList, isIPv6 } from 'node:net';

const mostRemembered = 10_000;

export function trustedNetworks(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const network of networks) add(list, network);
  const remembered = new Map<string, boolean>();
  return (address) => {
    const known = remembered.get(address);
    if (known !== undefined) return known;
    const trusted = list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(address, trusted);
    return trusted;
  };
}

function add(list: BlockList, network: string): void {
  const [address = '', bits] = network.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}
