/** What the phone page is told: which WebSocket to use, and in which domain its account is. */
import type { PhoneConfig, PhoneSettings } from '../adapters/http/page-routes.ts';
import type { Listener } from '../ports.ts';
import type { DemoUser } from './demo-users.ts';

/** The wss page uses its own origin: one certificate for both. A plain page uses ws, on the host it was reached by. */
export function phoneSettings(
  listeners: readonly Listener[],
  domain: string,
  demo: readonly DemoUser[],
): PhoneSettings {
  const ws = listeners.find(({ transport }) => transport === 'ws');
  const wss = listeners.find(({ transport }) => transport === 'wss');
  const accounts = demo.map(({ username, password }) => ({ name: username, password }));
  return (host, secure): PhoneConfig => {
    const name = host.replace(/:\d+$/, '');
    const secureHost = wss === undefined ? undefined : `${name}:${wss.local.port}`;
    const plain = ws === undefined ? `wss://${secureHost ?? host}` : `ws://${name}:${ws.local.port}`;
    return {
      wsUrl: secure ? `wss://${host}` : plain,
      domain,
      demo: demo.length > 0,
      ...(secureHost === undefined ? {} : { secureUrl: `https://${secureHost}/phone` }),
      ...(accounts.length === 0 ? {} : { accounts }),
    };
  };
}
