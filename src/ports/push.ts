/** Waking a client that has no connection (RFC 8599) by a message to its push service (RFC 8030). */

/** Where the push service takes messages for a client, and with what they are encrypted for it (RFC 8291 §3). */
export interface PushSubscription {
  /** Whoever knows it and signs with our key can wake the client: it never reaches a log. */
  readonly endpoint: string;
  /** Without keys the message goes without content. */
  readonly keys: PushKeys | undefined;
}

/** As the browser gives them (`PushSubscription.getKey`), in base64url. */
export interface PushKeys {
  /** Its public key on P-256. */
  readonly p256dh: string;
  readonly auth: string;
}

export interface PushMessage {
  /** At most 2,000 bytes in UTF-8, for the client alone. */
  readonly text: string;
  /** RFC 8030 §5.2: later than this it is worth nothing. */
  readonly ttlSeconds: number;
}

/** `gone`: the client is subscribed no more, and will not come back by this subscription. */
export type PushOutcome = 'accepted' | 'gone' | 'failed';

export interface PushService {
  /** Our public key, in base64url: clients subscribe for it, so that nobody else can wake them (RFC 8292 §4). */
  readonly vapidKey: string;
  /** Whether we would send there: an endpoint is an address that a stranger may have made up. */
  accepts(subscription: PushSubscription): boolean;
  /** Never rejects. */
  send(subscription: PushSubscription, message: PushMessage): Promise<PushOutcome>;
}
