/**
 * Messages that wait for their recipient (RFC 3428 §7): stored before the 202 (law 5), delivered in their order when a
 * device of his registers, by requests of ours. Bounded per recipient and in time.
 *
 * A message is delivered when one device has taken it. Left out: delivery receipts (RFC 5438).
 */
import { createRequest, type Field } from '../../message/build.ts';
import { get } from '../../message/header.ts';
import { printNameAddr } from '../../message/headers/address.ts';
import { From } from '../../message/headers/from-to.ts';
import { Expires } from '../../message/headers/numbers.ts';
import { ContentType } from '../../message/headers/text.ts';
import { withoutParam } from '../../message/params.ts';
import { canonicalAor, parseUri } from '../../message/uri.ts';
import type { StoredMessage } from '../../ports.ts';
import { mediaType } from '../../presence/publish.ts';
import { type Reply, type Request, refuse, reply, type Target } from '../api.ts';
import { type Core, viaFor } from '../core.ts';

const mostPerRecipient = 100;
/** Refused by a device so often, it is given up: that device does not take messages. */
const mostTries = 5;
const longestSeconds = 7 * 24 * 3600;
/** In one go: as many as may wait. */
const batch = mostPerRecipient;
/** Recipients for whom something waits: a REGISTER of anybody else asks the database nothing. Law 9. */
const mostRecipients = 1_000_000;

export class Messages {
  readonly #core: () => Core;
  readonly #recipients = new Set<string>();
  readonly #delivering = new Set<string>();

  constructor(core: () => Core) {
    this.#core = core;
  }

  async start(): Promise<void> {
    for (const aor of await this.#core().ports.messages.recipients(mostRecipients)) this.#recipients.add(aor);
  }

  async store({ message: request }: Request): Promise<Reply> {
    const { messages } = this.#core().ports;
    const message = this.#storable(request);
    if (message === undefined) return refuse('not-registered', 480);
    const isKnown = this.#recipients.has(message.aor) || this.#recipients.size < mostRecipients;
    if (!isKnown) return refuse('mailbox-full', 480);
    if ((await messages.store(message, mostPerRecipient)) === 'full') return refuse('mailbox-full', 480);
    this.#recipients.add(message.aor);
    this.#core().changes.tell({ kind: 'stored', aor: message.aor });
    return reply(202);
  }

  /** Another node has kept one for him. */
  heard(aor: string): void {
    if (this.#recipients.size < mostRecipients) this.#recipients.add(aor);
  }

  /** A device of this address has registered. */
  registered(aor: string): void {
    if (!this.#recipients.has(aor) || this.#delivering.has(aor)) return;
    const { clock, log } = this.#core().ports;
    this.#delivering.add(aor);
    // In a turn of its own, so that the 200 to the REGISTER is ahead of it.
    clock.after(0, () => {
      this.#deliver(aor)
        .catch((thrown: unknown) => log.warn({ aor, error: String(thrown) }, 'Its messages wait on'))
        .finally(() => this.#delivering.delete(aor));
    });
  }

  // RFC 3994: that somebody was typing is worth nothing later. `Expires: 0` asks for now or never (RFC 3428 §8).
  #storable(request: Request['message']): StoredMessage | undefined {
    const { clock, random } = this.#core().ports;
    const uri = parseUri(request.uri);
    const from = get(request, From);
    const seconds = Math.min(get(request, Expires) ?? longestSeconds, longestSeconds);
    const isPassing = mediaType(request) === 'application/im-iscomposing+xml';
    if (uri === undefined || from === undefined || isPassing || seconds === 0) return undefined;
    const sentAtMs = clock.nowMs();
    return {
      id: random.hex(12),
      aor: canonicalAor(uri),
      from: printNameAddr({ ...from, params: withoutParam(from.params, 'tag') }),
      contentType: get(request, ContentType) ?? 'text/plain',
      body: request.body,
      sentAtMs,
      expiresAtMs: sentAtMs + seconds * 1000,
    };
  }

  async #deliver(aor: string): Promise<void> {
    const { messages } = this.#core().ports;
    // Before the question, so that what is stored behind it is remembered.
    this.#recipients.delete(aor);
    try {
      const waiting = await messages.waitingFor(aor, batch);
      let left = waiting.length === batch;
      for (const message of waiting) {
        const outcome = await this.#deliverOne(message);
        if (outcome !== 'delivered') left = true;
        if (outcome === 'away') break;
      }
      if (left) this.#recipients.add(aor);
    } catch (thrown) {
      this.#recipients.add(aor);
      throw thrown;
    }
  }

  async #deliverOne(message: StoredMessage): Promise<'delivered' | 'refused' | 'away'> {
    const { ports, proxy } = this.#core();
    const targets = await proxy.location.lookup(message.aor);
    const statuses = await Promise.all(targets.map((target) => this.#send(message, target)));
    if (statuses.some((status) => status < 300)) {
      await ports.messages.delivered(message.id);
      return 'delivered';
    }
    if (statuses.every(isAway)) return 'away';
    await ports.messages.refused(message.id, mostTries);
    return 'refused';
  }

  /** Its final response; 408 when there was none. */
  async #send(message: StoredMessage, asked: Target): Promise<number> {
    const { ports, nextHops, nodeRouting, transactions } = this.#core();
    const [listener] = ports.network.listeners;
    if (listener === undefined) return noAnswer;
    const callId = ports.random.hex(12);
    const target = nodeRouting.through(asked, { callId });
    const hop = await nextHops
      .hopTo(target, target.route?.[0], nodeRouting.listenerTo(target) ?? listener)
      .catch(() => undefined);
    if (hop === undefined) return noAnswer;
    const { flow } = hop;
    const { from, aor, contentType, body, sentAtMs } = message;
    // RFC 3428 §7: when it was sent, as it comes late.
    const date: Field = ['Date', new Date(sentAtMs).toUTCString()];
    const request = createRequest({
      method: 'MESSAGE',
      uri: target.uri,
      via: viaFor(nodeRouting.faceTo(target) ?? flow.listener, `z9hG4bK${ports.random.hex(8)}`),
      route: target.route ?? [],
      from: `${from};tag=${ports.random.hex(5)}`,
      to: `<${aor}>`,
      callId,
      cseq: 1,
      headers: [date],
      body,
      contentType,
    });
    return new Promise((resolve) => {
      transactions.client(request, flow, {
        response: ({ status }) => {
          if (status >= 200) resolve(status);
        },
        failed: () => resolve(noAnswer),
        terminated: () => resolve(noAnswer),
      });
    });
  }
}

const noAnswer = 408;

/** Nobody took it, and nobody said that he would not. */
function isAway(status: number): boolean {
  return status === noAnswer || status === 430 || status === 480 || status >= 500;
}
