/**
 * Logins by tokens, with real processes: an identity server that shows its keys over HTTP, Viaduct, and a client on a
 * secure WebSocket. What passes to Homer and what is logged has no token in it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRequest, type Field } from '../../src/message/build.ts';
import { serialize } from '../../src/message/edit.ts';
import { get, values } from '../../src/message/header.ts';
import { WWWAuthenticate } from '../../src/message/headers/digest.ts';
import { RetryAfter } from '../../src/message/headers/numbers.ts';
import { Warning } from '../../src/message/headers/text.ts';
import type { SipResponse } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { type Collector, openCollector } from '../support/hep.ts';
import {
  AUDIENCE,
  type IdentityServer,
  ISSUER,
  jwks,
  openIdentityServer,
  signed,
  signingKey,
} from '../support/identity.ts';
import { type Line, openLine } from '../support/line.ts';
import type { Scope } from '../support/process.ts';
import { createSuite } from '../support/suite.ts';
import { DOMAIN, startViaduct, type Viaduct } from '../support/viaduct-process.ts';

const suite = createSuite();
const key = await signingKey('first');
let identity: IdentityServer;
let homer: Collector;
let viaduct: Viaduct;
/** Of all her registrations, over whatever connection. */
let cseq = 0;

before(async () => {
  identity = await openIdentityServer(suite, key);
  identity.answer = { status: 503, body: 'starting' };
  homer = await openCollector(suite);
  viaduct = await startViaduct(suite, {
    DEMO_USERS: 'alice:open-sesame',
    HEP: `udp:127.0.0.1:${homer.port}`,
    JWT_AUDIENCE: AUDIENCE,
    JWT_ISSUER: ISSUER,
    JWT_KEYS: identity.url,
    LOG_LEVEL: 'debug',
    RTPENGINE: 'udp:127.0.0.1:9',
  });
});

after(() => suite.end());

interface Client {
  readonly line: Line;
  /** Registers alice with this token; the final response. */
  register(token: string): Promise<SipResponse>;
  isConnected(): Promise<boolean>;
}

async function connect(scope: Scope): Promise<Client> {
  const responses: SipResponse[] = [];
  const received = (text: string): void => {
    const message = parseMessage(text);
    if (message.kind === 'response' && message.status >= 200) responses.push(message);
  };
  const authority = viaduct.authority();
  const line = await openLine({ transport: 'wss', host: '127.0.0.1', port: viaduct.port('wss'), authority, received });
  scope.after(() => line.close());
  return {
    line,
    async register(token) {
      cseq += 1;
      line.send(registerOf(cseq, [['Authorization', `Bearer ${token}`]]));
      while (responses.length === 0) await delay(20);
      return responses.shift() ?? assert.fail();
    },
    isConnected: async () => (await viaduct.stats()).connections.wss > 0,
  };
}

function registerOf(cseq: number, headers: readonly Field[]): string {
  return serialize(
    createRequest({
      method: 'REGISTER',
      uri: `sip:${DOMAIN}`,
      via: { transport: 'WSS', host: 'x.invalid', port: undefined, params: [['branch', `z9hG4bK-${cseq}`]] },
      from: `<sip:alice@${DOMAIN}>;tag=a`,
      to: `<sip:alice@${DOMAIN}>`,
      callId: 'alice-registers',
      cseq,
      headers: [['Contact', '<sip:alice@x.invalid;transport=ws>;expires=600'], ...headers],
    }),
  );
}

/** Ends in so many seconds, by the clock that the server allows for. */
const token = (by = key, seconds = 600): Promise<string> => {
  const exp = Math.floor(Date.now() / 1000) + seconds - 30;
  return signed(by, Date.now(), { exp });
};

test('keys that cannot be fetched are 503 with Retry-After; when the identity server is there, its tokens are taken', async (t) => {
  const client = await connect(t);
  const waiting = await client.register(await token());
  assert.deepEqual([waiting.status, get(waiting, RetryAfter)], [503, 30]);
  identity.answer = { status: 200, body: jwks(key) };
  const untilMs = Date.now() + 45_000;
  while ((await client.register(await token())).status !== 200) {
    assert.ok(Date.now() < untilMs, viaduct.output());
    await delay(1_000);
  }
  assert.equal((await viaduct.registrations()).length, 1);
});

test('a forged token is refused with the reason, and a challenge that names the identity server', async (t) => {
  const client = await connect(t);
  const refused = await client.register(await token({ ...(await signingKey('second')), kid: 'first' }));
  assert.equal(refused.status, 401);
  assert.match(get(refused, Warning) ?? '', /The signature of the token is wrong/);
  const [bearer = '', digest = ''] = values(refused, WWWAuthenticate);
  assert.equal(bearer, `Bearer realm="${DOMAIN}", authz_server="${ISSUER}", error="invalid_token"`);
  assert.match(digest, /^Digest realm="/);
});

test('a connection ends with its token, and the registration with it', async (t) => {
  const client = await connect(t);
  // A token has whole seconds.
  const endMs = Math.floor(Date.now() / 1000 + 6) * 1000;
  assert.equal((await client.register(await token(key, 6))).status, 200);
  while (await client.isConnected()) {
    assert.ok(Date.now() < endMs + 20_000, 'the connection lives on');
    await delay(100);
  }
  assert.ok(Date.now() >= endMs, 'not before');
  assert.deepEqual(await viaduct.registrations(), []);
});

test('law 8: neither the log nor what Homer gets has a token in it', () => {
  const copies = homer.packets.map(({ payload }) => payload);
  assert.ok(copies.some((copy) => copy.includes('Authorization: Bearer (removed)')));
  assert.doesNotMatch(copies.join('\n'), /eyJ/);
  assert.match(viaduct.output(), /token-signature/);
  assert.doesNotMatch(viaduct.output(), /eyJ/);
});
