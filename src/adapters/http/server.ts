/**
 * The HTTP side: the REST routes it is given, the pages, and around them access, limits, security headers and errors
 * as problem+json. `app.routing(request, response)` serves the same on another server (the wss port).
 * It knows no route of the API by name, and no SIP.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { Failure } from '../../errors.ts';
import type { Log } from '../../ports.ts';
import { type Access, type Caller, isLoopbackAddress, refusal, type Target } from './guard.ts';
import { SECURITY_HEADERS } from './headers.ts';
import { collectMethods, type Methods } from './methods.ts';
import { collectOpenapi, serveOpenapi } from './openapi.ts';
import { addPages, CONFIG_PATH, type PhoneSettings } from './page-routes.ts';
import type { Pages } from './pages.ts';
import { PROBLEM_TYPE, problem, problemOf } from './problem.ts';

export interface HttpOptions {
  /** The REST routes, as `apiRoutes(operations)` of `routes/http/api.ts` makes them. */
  readonly api: FastifyPluginAsync;
  /** Without one, REST is for this machine only. */
  readonly apiToken: string | undefined;
  /** Further names of this machine that a Host header may hold (no ports), as they are at this moment: a reload changes them. */
  readonly allowedHosts: () => readonly string[];
  /** Whether one more request from this address is answered; `/health` always is. Absent: all are. */
  readonly admits?: (address: string) => boolean;
  /** Told of each answer. */
  readonly answered?: (status: number) => void;
  readonly pages: Pages;
  readonly phone: PhoneSettings;
  readonly log: Log;
}

const MAX_URL_CHARS = 2048;
const MAX_HEADER_BYTES = 8192;
const MAX_BODY_BYTES = 65_536;
const MAX_CONNECTIONS = 512;

/** Ready, and not listening yet. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  // Requests to our own port; those that come by `app.routing` are never in it.
  const direct = new WeakSet<IncomingMessage>();
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    frameworkErrors: (error, _request, reply) => sendProblem(reply, error, options.log),
    clientErrorHandler: (error, socket) => refuseUnreadable(error, socket),
    serverFactory: (listener) => ownServer(listener, direct),
  });
  // JSON only: a form that another page posts has no content type we read.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request, reply) =>
    isTooMuch(request, options)
      ? send(reply.headers(SECURITY_HEADERS).header('retry-after', '1'), 429, 'Too many requests from this address.')
      : admit(reply, targetOf(request, options.pages), callerOf(request, direct), accessOf(options)),
  );
  app.addHook('onResponse', async (_request, { statusCode }) => options.answered?.(statusCode));
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, error, options.log));
  const methods = collectMethods(app);
  app.setNotFoundHandler((request, reply) => notFound(methods, request, reply));
  addPages(app, options.pages, options.phone);
  await collectOpenapi(app);
  await app.register(options.api);
  serveOpenapi(app);
  await app.ready();
  return app;
}

export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

/** Resolves to the bound address; rejects with `listen-in-use`, `listen-address` or `listen-failed`. */
export async function listenHttp(app: FastifyInstance, at: HttpAddress): Promise<HttpAddress> {
  try {
    await app.listen({ host: at.host, port: at.port });
  } catch (thrown) {
    throw listenFailure(thrown, `HTTP ${at.host}:${at.port}`);
  }
  const bound = app.server.address();
  return { host: at.host, port: bound !== null && typeof bound === 'object' ? bound.port : at.port };
}

function listenFailure(thrown: unknown, what: string): Failure {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'EADDRINUSE') return new Failure('listen-in-use', what);
  if (code === 'EADDRNOTAVAIL') return new Failure('listen-address', what);
  return new Failure('listen-failed', `${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
}

function ownServer(listener: RequestListener, direct: WeakSet<IncomingMessage>): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: 5000,
    requestTimeout: 10_000,
    keepAliveTimeout: 5000,
  };
  const server = createServer(limits, (request, response) => {
    direct.add(request);
    listener(request, response);
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

function admit(reply: FastifyReply, target: Target, caller: Caller, access: Access): FastifyReply | undefined {
  reply.headers(SECURITY_HEADERS);
  if (reply.request.url.length > MAX_URL_CHARS) {
    return send(reply, 414, `An address has at most ${MAX_URL_CHARS} characters.`);
  }
  const refused = refusal(target, caller, access);
  if (refused === undefined) return undefined;
  if (refused.status === 401) reply.header('www-authenticate', 'Bearer realm="viaduct"');
  return send(reply, refused.status, refused.detail);
}

function accessOf({ apiToken, allowedHosts }: HttpOptions): Access {
  return { apiToken, allowedHosts: new Set(allowedHosts().map(asciiLower)) };
}

/** Load balancers ask for /health as often as they like. */
function isTooMuch(request: FastifyRequest, { admits }: HttpOptions): boolean {
  if (admits === undefined || request.routeOptions.url === '/health') return false;
  return !admits((request.raw.socket.remoteAddress ?? '').replace(/^::ffff:/, ''));
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** By the route that was matched, not by the address as written: `/%61pi/` is `/api/`. */
function targetOf(request: FastifyRequest, pages: Pages): Target {
  const path = request.routeOptions.url;
  if (path === '/health') return 'health';
  if (path === undefined) return request.url.startsWith('/api') ? 'api' : 'page';
  return path === CONFIG_PATH || pages.has(path) ? 'page' : 'api';
}

function callerOf(request: FastifyRequest, direct: WeakSet<IncomingMessage>): Caller {
  return {
    direct: direct.has(request.raw),
    loopback: isLoopbackAddress(request.raw.socket.remoteAddress),
    host: request.headers.host,
    authorization: request.headers.authorization,
    changes: request.method !== 'GET' && request.method !== 'HEAD',
    origin: request.headers.origin,
  };
}

function notFound(methods: Methods, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? '/';
  const allowed = methods.of(path);
  if (allowed.length === 0) return send(reply, 404, `There is nothing at ${path}.`);
  const words = `${path} has no ${request.method}, but ${allowed.join(', ')}.`;
  return send(reply.header('allow', allowed.join(', ')), 405, words);
}

function send(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply.code(status).type(PROBLEM_TYPE).send(problem(status, detail));
}

function sendProblem(reply: FastifyReply, thrown: unknown, log: Log): FastifyReply {
  const answer = problemOf(thrown);
  if (answer.status >= 500) report(thrown, answer.status, reply.request.url, log);
  return reply.headers(SECURITY_HEADERS).code(answer.status).type(PROBLEM_TYPE).send(answer);
}

/** A bug with its stack; a row of `errors.ts` in its words, such as a recording without RECORDING_DIR (501). */
function report(thrown: unknown, status: number, url: string, log: Log): void {
  if (!(thrown instanceof Failure) || status === 500) log.error({ err: thrown, url }, 'A HTTP request failed');
  else
    log.warn(
      { url, status, code: thrown.code, detail: thrown.detail, nextStep: thrown.row.nextStep },
      thrown.row.meaning,
    );
}

/**
 * What is not HTTP at all, or too large a header, never reaches a route. Nothing is written after a timeout: a browser
 * that opened the connection in advance would take it for the answer to its first request.
 */
function refuseUnreadable(error: Error, socket: Socket): void {
  const code = 'code' in error ? String(error.code) : '';
  const tooLarge = code === 'HPE_HEADER_OVERFLOW';
  const answer = tooLarge
    ? problem(431, `The header of a request has at most ${MAX_HEADER_BYTES} bytes.`)
    : problem(400, 'This is not a HTTP request.');
  const body = JSON.stringify(answer);
  if (socket.writable && code.startsWith('HPE_')) {
    const head = `HTTP/1.1 ${answer.status} ${answer.title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nConnection: close`;
    socket.write(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
  socket.destroy();
}
