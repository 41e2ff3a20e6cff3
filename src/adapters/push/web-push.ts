/**
 * Web Push as a `PushService`: one POST to the push service of the client's browser (RFC 8030), signed by us (RFC 8292)
 * and encrypted for the client (RFC 8291).
 *
 * An endpoint comes from whoever registers, so only services that the settings name are asked, over HTTPS, and no
 * redirect is followed. Law 8: the log has the host of an endpoint, and no more of it. Bounded in time and number.
 */
import { Agent, type RequestOptions, request } from 'node:https';
import type { Clock, Log, PushMessage, PushOutcome, PushService, PushSubscription } from '../../ports.ts';
import { encrypted } from './encryption.ts';
import { vapidAuthorization, vapidKeys } from './vapid.ts';

export interface WebPushOptions {
  /** Our private key, in base64url. */
  readonly key: string;
  /** RFC 8292 §2.1: `mailto:` or `https:`. */
  readonly subject: string;
  /** Hosts that take pushes; `*.example.net` for all below, `host:port` where the port is not 443. */
  readonly services: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** Certificates to trust besides those of the system. */
  readonly ca?: string;
  readonly timeoutMs?: number;
}

export interface OpenWebPush extends PushService {
  close(): void;
}

const usualTimeoutMs = 5_000;
const mostAtOnce = 1_000;
const mostSockets = 20;
const mostContentBytes = 2_000;
/** Whoever waits longer for us has no call any more. */
const longestRetryMs = 5_000;
const usualRetryMs = 1_000;

interface Answer {
  /** 0: none. */
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** Why there is none. */
  readonly fault: string | undefined;
}

export function openWebPush(options: WebPushOptions): OpenWebPush {
  const { services, clock, log } = options;
  const keys = vapidKeys(options.key);
  const agent = new Agent({ keepAlive: true, maxSockets: mostSockets, ...(options.ca && { ca: options.ca }) });
  let sending = 0;

  const sendOnce = (to: PushSubscription, message: PushMessage): Promise<Answer> => {
    const url = new URL(to.endpoint);
    const content = Buffer.from(message.text).subarray(0, mostContentBytes);
    const body = to.keys === undefined ? undefined : encrypted(content, to.keys);
    const headers = {
      authorization: vapidAuthorization(keys, url, options.subject, clock.nowMs()),
      ttl: String(message.ttlSeconds),
      urgency: 'high',
      'content-length': body?.length ?? 0,
      ...(body && { 'content-encoding': 'aes128gcm', 'content-type': 'application/octet-stream' }),
    };
    return post(url, { method: 'POST', agent, headers, timeout: options.timeoutMs ?? usualTimeoutMs }, body);
  };

  /** RFC 8030 §8.4, RFC 9110 §10.2.3: a service that has too much to do is asked once more. */
  const sendTwice = async (to: PushSubscription, message: PushMessage): Promise<Answer> => {
    const answer = await sendOnce(to, message);
    const waitMs = retryMs(answer);
    if (waitMs === undefined) return answer;
    await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    return sendOnce(to, message);
  };

  const send = async (to: PushSubscription, message: PushMessage): Promise<PushOutcome> => {
    if (sending >= mostAtOnce) return 'failed';
    sending++;
    try {
      const answer = await sendTwice(to, message);
      const outcome = outcomeOf(answer);
      const { status, fault } = answer;
      if (outcome === 'failed') log.warn({ service: hostOf(to), status, fault }, 'A push was not taken');
      return outcome;
    } catch (thrown) {
      // Keys of a client that are none.
      log.warn({ service: hostOf(to), fault: thrown instanceof Error ? thrown.message : '' }, 'A push cannot be made');
      return 'failed';
    } finally {
      sending--;
    }
  };

  return {
    vapidKey: keys.publicKey,
    accepts: ({ endpoint }) => isPushService(endpoint, services),
    send: (to, message) => (isPushService(to.endpoint, services) ? send(to, message) : Promise.resolve('failed')),
    close: () => agent.destroy(),
  };
}

function isPushService(endpoint: string, services: readonly string[]): boolean {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '') return false;
  return services.some((one) => (one.startsWith('*.') ? url.host.endsWith(one.slice(1)) : url.host === one));
}

function hostOf({ endpoint }: PushSubscription): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : '';
}

/** Never rejects. */
function post(url: URL, options: RequestOptions, body: Buffer | undefined): Promise<Answer> {
  return new Promise((resolve) => {
    const sent = request(url, options, (response) => {
      response.resume();
      const retryAfter = response.headers['retry-after'];
      resolve({ status: response.statusCode ?? 0, retryAfter, fault: undefined });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', ({ message }) => resolve({ status: 0, retryAfter: undefined, fault: message }));
    sent.end(body);
  });
}

/** RFC 8030 §7.3: 404 and 410 end a subscription. */
function outcomeOf({ status }: Answer): PushOutcome {
  if (status >= 200 && status < 300) return 'accepted';
  return status === 404 || status === 410 ? 'gone' : 'failed';
}

/** `undefined`: asking again would change nothing, or be too late. */
function retryMs({ status, retryAfter }: Answer): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  const ms = retryAfter === undefined ? usualRetryMs : Number(retryAfter) * 1000;
  return ms >= 0 && ms <= longestRetryMs ? ms : undefined;
}
