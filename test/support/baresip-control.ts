/**
 * The control port of a baresip (its module `ctrl_tcp`): netstrings with JSON. Commands are answered by token, and events
 * come by themselves.
 */
import type { Socket } from 'node:net';

export interface BaresipEvent {
  readonly type: string;
  readonly param: string;
}

const WITHIN_MS = 20_000;

export interface Control {
  readonly events: readonly string[];
  /** The next event of this type that has not been waited for yet. */
  expect(type: string, withinMs?: number): Promise<BaresipEvent>;
  command(name: string, params?: string): Promise<string>;
}

/** Events in order, each given to one `expect`; replies by the token of their command. */
export function openControl(socket: Socket, output: () => string): Control {
  const events: string[] = [];
  const waiting: BaresipEvent[] = [];
  const replies = new Map<string, (reply: Reply) => void>();
  let notify = () => {};
  let commands = 0;
  readNetstrings(socket, (text) => {
    const message: unknown = JSON.parse(text);
    if (isReply(message)) return replies.get(message.token)?.(message);
    if (!isEvent(message)) return undefined;
    events.push(message.type);
    waiting.push({ type: message.type, param: message.param ?? '' });
    return notify();
  });
  return {
    events,
    async expect(type, withinMs = WITHIN_MS) {
      const until = Date.now() + withinMs;
      for (;;) {
        const index = waiting.findIndex((event) => event.type === type);
        const found = index < 0 ? undefined : waiting.splice(index, 1)[0];
        if (found !== undefined) return found;
        const leftMs = until - Date.now();
        if (leftMs <= 0) throw new Error(`baresip: no ${type}, only ${events.join(', ')}\n${output()}`);
        const { promise, resolve } = Promise.withResolvers<void>();
        notify = resolve;
        const timer = setTimeout(resolve, leftMs);
        await promise;
        clearTimeout(timer);
      }
    },
    async command(name, params = '') {
      commands += 1;
      const token = `t${commands}`;
      const { promise, resolve } = Promise.withResolvers<Reply>();
      replies.set(token, resolve);
      const body = JSON.stringify({ command: name, params, token });
      socket.write(`${Buffer.byteLength(body)}:${body},`);
      const timer = setTimeout(() => resolve({ token, ok: false, data: 'no answer to the command' }), WITHIN_MS);
      const reply = await promise;
      clearTimeout(timer);
      replies.delete(token);
      if (!reply.ok) throw new Error(`baresip refused ${name} ${params}: ${reply.data}`);
      return reply.data;
    },
  };
}

function readNetstrings(socket: Socket, take: (text: string) => void): void {
  let buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const colon = buffer.indexOf(':');
      const size = Number(buffer.toString('latin1', 0, Math.max(0, colon)));
      if (colon < 1 || buffer.length < colon + size + 2) return;
      take(buffer.toString('utf8', colon + 1, colon + 1 + size));
      buffer = buffer.subarray(colon + size + 2);
    }
  });
}

interface Reply {
  readonly token: string;
  readonly ok: boolean;
  readonly data: string;
}

function isReply(message: unknown): message is Reply {
  return typeof message === 'object' && message !== null && 'response' in message && 'token' in message;
}

function isEvent(message: unknown): message is { readonly type: string; readonly param?: string } {
  return typeof message === 'object' && message !== null && 'event' in message && 'type' in message;
}
