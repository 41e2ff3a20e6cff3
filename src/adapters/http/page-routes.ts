/** Serves the pages from memory, and tells them where to connect. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Transport } from '../../ports.ts';
import { isLoopbackAddress, isLoopbackName } from './guard.ts';
import { contentSecurityPolicy } from './headers.ts';
import type { PageFile, Pages } from './pages.ts';

export interface DemoAccount {
  readonly name: string;
  readonly password: string;
}

/** What `/phone/config.json` answers. */
export interface PhoneConfig {
  readonly wsUrl: string;
  readonly domain: string;
  readonly demo: boolean;
  /** Where a softphone registers, each transport once. */
  readonly sip: readonly { readonly transport: Transport; readonly address: string }[];
  /** Where the page may use a microphone, when it was reached by an address where it may not. */
  readonly secureUrl?: string;
  /** RFC 8292: for which key the page subscribes, so that we can wake it. */
  readonly vapidKey?: string;
  readonly accounts?: readonly DemoAccount[];
}

/** `host` is the checked Host header, with port; `secure`: the page came over TLS. */
export type PhoneSettings = (host: string, secure: boolean) => PhoneConfig;

export const CONFIG_PATH = '/phone/config.json';

export function addPages(app: FastifyInstance, pages: Pages, phone: PhoneSettings): void {
  for (const [path, file] of pages) {
    app.get(path, async (request, reply) => serve(request, reply, file, phone));
  }
  app.get(CONFIG_PATH, async (request, reply) =>
    reply.header('cache-control', 'no-store').send(config(request, phone)),
  );
}

function serve(request: FastifyRequest, reply: FastifyReply, file: PageFile, phone: PhoneSettings): FastifyReply {
  reply.header('cache-control', 'no-cache').header('etag', file.etag).header('vary', 'accept-encoding');
  if (file.contentType.startsWith('text/html')) {
    reply.header('content-security-policy', contentSecurityPolicy(config(request, phone).wsUrl));
  }
  if (request.headers['if-none-match']?.includes(file.etag)) return reply.code(304).send();
  reply.type(file.contentType);
  return /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
    ? reply.header('content-encoding', 'gzip').send(file.gzip)
    : reply.send(file.body);
}

/** Demonstration passwords go to a browser on this machine and to no other. */
function config(request: FastifyRequest, phone: PhoneSettings): PhoneConfig {
  const host = request.headers.host ?? 'localhost';
  const { accounts, ...open } = phone(host, 'encrypted' in request.raw.socket);
  const here = isLoopbackAddress(request.raw.socket.remoteAddress) && isLoopbackName(host);
  return accounts !== undefined && here ? { ...open, accounts } : open;
}
