/** What the pages are told: which WebSocket to use, where a softphone registers, and in which domain accounts are. */
import type { PhoneConfig, PhoneSettings } from '../adapters/http/page-routes.ts';
import type { Listener, Transport } from '../ports.ts';
import type { DemoUser } from './demo-users.ts';

/** The wss page uses its own origin: one certificate for both. A plain page uses ws, on the host it was reached by. */
export function phoneSettings(
  listeners: readonly Listener[],
  /** At this moment: a reload changes it. */
  domain: () => string,
  demo: readonly DemoUser[],
  vapidKey?: string,
): PhoneSettings {
  const ws = listeners.find(({ transport }) => transport === 'ws');
  const wss = listeners.find(({ transport }) => transport === 'wss');
  const accounts = demo.map(({ username, password }) => ({ name: username, password }));
  const sip = softphoneTransports.flatMap((transport) => serverOf(listeners, transport));
  return (host, secure): PhoneConfig => {
    const name = host.replace(/:\d+$/, '');
    const secureHost = wss === undefined ? undefined : `${name}:${wss.local.port}`;
    const plain = ws === undefined ? `wss://${secureHost ?? host}` : `ws://${name}:${ws.local.port}`;
    return {
      wsUrl: secure ? `wss://${host}` : plain,
      domain: domain(),
      demo: demo.length > 0,
      sip,
      ...(secureHost === undefined ? {} : { secureUrl: `https://${secureHost}/phone` }),
      ...(vapidKey === undefined ? {} : { vapidKey }),
      ...(accounts.length === 0 ? {} : { accounts }),
    };
  };
}

const softphoneTransports = ['udp', 'tcp', 'tls'] as const;

function serverOf(listeners: readonly Listener[], transport: Transport): PhoneConfig['sip'] {
  const found = listeners.find((listener) => listener.transport === transport);
  return found === undefined ? [] : [{ transport, address: `${found.advertised.host}:${found.advertised.port}` }];
}
