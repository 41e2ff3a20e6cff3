/**
 * Reads server-sent events (WHATWG HTML §9.2.6) from a body that was fetched: an EventSource cannot send a token.
 * Left out: `id:` and `retry:`, which we do not use.
 */

export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

/** A server that never ends an event must not fill the memory of the browser. */
const MOST_CHARS = 4 * 1024 * 1024;

/** Takes text as it comes, and gives the events that it completes. */
export function eventReader(): (text: string) => readonly StreamEvent[] {
  let rest = '';
  return (text) => {
    const blocks = `${rest}${text}`.replaceAll('\r\n', '\n').split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > MOST_CHARS) throw new Error('an event without an end');
    return blocks.flatMap(eventOf);
  };
}

function eventOf(block: string): readonly StreamEvent[] {
  const fields = block.split('\n').map(fieldOf);
  const data = fields.flatMap(({ name, value }) => (name === 'data' ? [value] : []));
  const type = fields.findLast(({ name }) => name === 'event')?.value ?? 'message';
  return data.length === 0 ? [] : [{ type, data: data.join('\n') }];
}

function fieldOf(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(':');
  if (colon < 0) return { name: line, value: '' };
  return { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, '') };
}

export async function readEvents(body: ReadableStream<Uint8Array>, take: (event: StreamEvent) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const read = eventReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const event of read(decoder.decode(value, { stream: true }))) take(event);
  }
}
