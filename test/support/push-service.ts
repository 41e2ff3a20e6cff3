/**
 * A push service on loopback (RFC 8030), as strict as a real one: HTTPS only, who pushes must be whom the client has
 * subscribed for (RFC 8292), and the client can read what comes (RFC 8291). Written from the RFCs, not from our code.
 */
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateCertificate } from '../../src/adapters/network/certificate.ts';
import type { PushSubscription } from '../../src/ports.ts';
import type { Scope } from './process.ts';

export interface ReceivedPush {
  /** What the client reads; `undefined` for a push without content. */
  readonly text: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export interface LocalPushService {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** The authority of its certificate, and the file with it. */
  readonly ca: string;
  readonly caFile: string;
  readonly received: readonly ReceivedPush[];
  /** A client subscribes for pushes signed with this key. */
  subscribe(vapidKey: string): PushSubscription;
  /** What it answers to the next pushes, in turn; then 201. `silent`: nothing. */
  answers: readonly (Answer | 'silent')[];
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Client {
  readonly vapidKey: string;
  readonly ecdh: ReturnType<typeof createECDH>;
  readonly auth: Buffer;
}

export async function startPushService(scope: Scope): Promise<LocalPushService> {
  const dir = mkdtempSync(join(tmpdir(), 'push-service-'));
  scope.after(() => rmSync(dir, { recursive: true, force: true }));
  const names = ['127.0.0.1', 'localhost'];
  const certificate = await loadOrCreateCertificate({ dir, names, nowMs: Date.now() });
  const clients = new Map<string, Client>();
  const received: ReceivedPush[] = [];
  const server = createServer(certificate, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const [answer = { status: 201 }, ...later] = service.answers;
    service.answers = later;
    if (answer === 'silent') return;
    const client = clients.get(request.url ?? '');
    const wrong = wrongWith(client, request.headers, `https://${service.host}`);
    const status = client === undefined ? 404 : wrong === undefined ? answer.status : 403;
    if (client !== undefined && wrong === undefined) {
      received.push({ text: decrypted(client, Buffer.concat(chunks)), headers: request.headers });
    }
    response.writeHead(status, wrong ?? '', answer.headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const service: LocalPushService = {
    host: `127.0.0.1:${port}`,
    ca: certificate.ca,
    caFile: join(dir, 'ca.pem'),
    received,
    answers: [],
    subscribe: (vapidKey) => {
      const path = `/push/${randomBytes(8).toString('hex')}`;
      const ecdh = createECDH('prime256v1');
      const p256dh = ecdh.generateKeys('base64url');
      const auth = randomBytes(16);
      clients.set(path, { vapidKey, ecdh, auth });
      return { endpoint: `https://127.0.0.1:${port}${path}`, keys: { p256dh, auth: auth.toString('base64url') } };
    },
  };
  return service;
}

/** RFC 8292 §2 and §3, RFC 8030 §5; `undefined`: nothing. */
function wrongWith(client: Client | undefined, headers: IncomingHttpHeaders, origin: string): string | undefined {
  const [, token = '', key = ''] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(headers.authorization ?? '') ?? [];
  const [head = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  if (key !== client?.vapidKey || point.length !== 65) return 'not the key of the subscription';
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')];
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
  const signed = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  const isSigned = verify('sha256', Buffer.from(`${head}.${claims}`), signed, Buffer.from(signature, 'base64url'));
  if (!isSigned) return 'not signed';
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const leftSeconds = exp - Date.now() / 1000;
  if (aud !== origin || leftSeconds < 0 || leftSeconds > 86_400 || !/^(mailto|https):/.test(sub)) return 'bad claims';
  return /^\d+$/.test(`${headers.ttl}`) ? undefined : 'no TTL';
}

/** RFC 8291 §3, RFC 8188 §2. */
function decrypted({ ecdh, auth }: Client, body: Buffer): string | undefined {
  if (body.length === 0) return undefined;
  const [salt, keyLength] = [body.subarray(0, 16), body.readUInt8(20)];
  const [sender, record] = [body.subarray(21, 21 + keyLength), body.subarray(21 + keyLength)];
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender]);
  const keying = hkdfSync('sha256', ecdh.computeSecret(sender), auth, info, 32);
  const derive = (name: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', Buffer.from(keying), salt, `Content-Encoding: ${name}\0`, length));
  const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
  decipher.setAuthTag(record.subarray(-16));
  const content = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  return content.subarray(0, content.lastIndexOf(2)).toString();
}
