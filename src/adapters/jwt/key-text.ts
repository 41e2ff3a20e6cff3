/** Reads the text of a JWKS, from a file or over HTTPS: in time, and no more than it may be. Redirects are not followed. */
import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';

/** A hundred RSA keys with their certificates. */
const mostBytes = 262_144;
const mostMs = 5_000;

/** `from`: a path, or a URL. Rejects with the reason in words. */
export async function readKeyText(from: string): Promise<string> {
  return isUrl(from) ? fetched(from) : text(bounded(createReadStream(from, { end: mostBytes })));
}

export function isUrl(from: string): boolean {
  return /^https?:/.test(from);
}

async function fetched(url: string): Promise<string> {
  const headers = { accept: 'application/jwk-set+json, application/json' };
  const signal = AbortSignal.timeout(mostMs);
  const response = await fetch(url, { headers, signal, redirect: 'error' }).catch((thrown: unknown) => {
    throw new Error(reasonOf(thrown));
  });
  if (!response.ok || response.body === null) throw new Error(`it answers ${response.status}`);
  return text(bounded(response.body));
}

async function* bounded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
    yield chunk;
  }
}

/** `fetch failed` says nothing; why is behind it. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
}
