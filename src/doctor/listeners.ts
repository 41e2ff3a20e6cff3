/** Whether clients can reach the addresses that we listen on and write into our messages. */
import { hostText, isLoopback } from '../adapters/network/addresses.ts';
import type { Finding } from '../engine/operations.ts';
import type { Listener } from '../ports.ts';
import { finding } from './finding.ts';
import { isPrivateAddress } from './private-address.ts';

export function listenerFindings(listeners: readonly Listener[]): readonly Finding[] {
  if (listeners.length === 0) return [finding('listeners', 'error', 'Nothing is listened on.', 'Set LISTEN.')];
  const places = listeners.map(({ transport, local }) => `${transport} ${hostText(local.address)}:${local.port}`);
  const listening = finding('listeners', 'ok', `Listening: ${places.join(', ')}.`, '');
  if (listeners.every(({ local }) => isLoopback(local.address))) {
    const cure = 'To serve others set LISTEN, such as "udp:0.0.0.0:5060 wss:0.0.0.0:8443".';
    return [listening, finding('listeners', 'notice', 'Only this machine can reach Viaduct.', cure)];
  }
  return [listening, ...advertised(listeners), ...secure(listeners)];
}

function advertised(listeners: readonly Listener[]): readonly Finding[] {
  const hosts = new Set(listeners.filter(({ local }) => !isLoopback(local.address)).map((one) => one.advertised.host));
  const hidden = [...hosts].filter(isPrivateAddress);
  if (hidden.length === 0) return [finding('advertised', 'ok', `Our messages name ${[...hosts].join(', ')}.`, '')];
  const cure = 'Nothing in a local network. Behind NAT or in a cloud set ADVERTISE to the public address.';
  return [finding('advertised', 'notice', `Our messages name ${hidden.join(', ')}, a private address.`, cure)];
}

/** A browser opens its microphone on a page that came over TLS, and such a page opens wss only. */
function secure(listeners: readonly Listener[]): readonly Finding[] {
  if (listeners.some(({ transport }) => transport === 'wss')) return [];
  const cure = 'Add wss:0.0.0.0:8443 to LISTEN.';
  return [finding('listeners', 'notice', 'There is no wss listener: browsers on other machines cannot call.', cure)];
}
