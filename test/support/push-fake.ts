/** A push service in memory (`ports.ts` PushService): keeps what was sent, and says what the script wants. */
import type { PushMessage, PushOutcome, PushService, PushSubscription } from '../../src/ports.ts';

export interface PushFake extends PushService {
  readonly sent: readonly { readonly to: PushSubscription; readonly message: PushMessage }[];
  /** What it says from now on; default `accepted`. */
  answer: PushOutcome;
}

export function createPushFake(): PushFake {
  const sent: { to: PushSubscription; message: PushMessage }[] = [];
  const fake: PushFake = {
    sent,
    answer: 'accepted',
    vapidKey: 'BPublicKey',
    accepts: ({ endpoint }) => endpoint.startsWith('https://push.example.net/'),
    send: async (to, message) => {
      sent.push({ to, message });
      return fake.answer;
    },
  };
  return fake;
}
