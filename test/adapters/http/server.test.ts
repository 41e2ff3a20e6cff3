import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { hostName } from '../../../src/adapters/http/guard.ts';
import { listenHttp } from '../../../src/adapters/http/server.ts';
import { Failure } from '../../../src/errors.ts';
import { type Answer, ask, http, listening, operations, TOKEN } from './fixture.ts';

function assertProblem(answer: Answer, status: number, detail: RegExp): void {
  assert.equal(answer.status, status);
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  assert.partialDeepStrictEqual(answer.json, { type: 'about:blank', status });
  assert.match(answer.text, detail);
}

test('without a token this machine may ask, by any of its names', async () => {
  await listening({}, async (port) => {
    for (const host of ['localhost', `127.0.0.1:${port}`, 'LocalHost:1', '[::1]:8081', 'viaduct.local']) {
      assert.equal((await ask(port, '/api/v1/stats', { host })).status, 200, host);
    }
  });
});

test('a reload that changes DOMAINS changes which names this machine has', async () => {
  const names = ['viaduct.local'];
  await listening({ allowedHosts: () => names }, async (port) => {
    assert.equal((await ask(port, '/api/v1/stats', { host: 'sip.example.org' })).status, 403);
    names.push('SIP.example.org');
    assert.equal((await ask(port, '/api/v1/stats', { host: 'sip.example.org' })).status, 200);
  });
});

test('DNS rebinding: without a token a foreign Host is refused, on pages too, which show demonstration passwords', async () => {
  await listening({}, async (port) => {
    for (const path of ['/api/v1/stats', '/phone', '/phone/config.json', '/%61pi/v1/stats', '/api/v1/calls/']) {
      assertProblem(await ask(port, path, { host: 'evil.example' }), 403, /Host header names evil\.example/);
    }
    assert.equal((await ask(port, '/health', { host: 'evil.example' })).status, 200);
  });
});

test('a page from elsewhere may change nothing here, though its browser sends the request: its Origin says so', async () => {
  await listening({}, async (port) => {
    const host = `127.0.0.1:${port}`;
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1']) {
      assertProblem(await ask(port, '/api/v1/reload', { host, origin }, 'POST'), 403, /may not change anything here/);
    }
    for (const headers of [{ host }, { host, origin: `http://${host}` }]) {
      assert.equal((await ask(port, '/api/v1/reload', headers, 'POST')).status, 200);
    }
  });
});

test('RFC 6585 §4: an address that asks too often gets 429, with when to come again; /health is always answered', async () => {
  const asked: string[] = [];
  const admits = (address: string): boolean => asked.push(address) <= 2;
  await listening({ admits }, async (port) => {
    for (const status of [200, 200, 429, 429]) assert.equal((await ask(port, '/api/v1/stats')).status, status);
    const refused = await ask(port, '/phone');
    assertProblem(refused, 429, /Too many requests/);
    assert.equal(refused.headers['retry-after'], '1');
    assert.equal(refused.headers['x-content-type-options'], 'nosniff');
    assert.equal((await ask(port, '/health')).status, 200);
  });
  assert.deepEqual(new Set(asked), new Set(['127.0.0.1']));
});

test('each answer is told of with its status, refusals before anything is looked at included', async () => {
  const told: number[] = [];
  await listening({ answered: (status) => void told.push(status) }, async (port) => {
    await ask(port, '/api/v1/stats');
    await ask(port, '/api/v1/stats', { host: 'evil.example' });
    await ask(port, '/api/v1/nothing');
    await ask(port, '/phone', { host: "x;script-src'*'" });
  });
  assert.deepEqual(told, [200, 403, 404, 400]);
});

test('a Host header that is not a name is refused before anything is made of it', async () => {
  await listening({ apiToken: TOKEN }, async (port) => {
    assertProblem(await ask(port, '/phone', { host: "x;script-src'*'" }), 400, /Host header/);
  });
  assert.equal(hostName('[2001:db8::1]:80'), '[2001:db8::1]');
  assert.equal(hostName('a b'), undefined);
  assert.equal(hostName(undefined), undefined);
});

test('with a token REST wants it, pages and /health do not', async () => {
  await listening({ apiToken: TOKEN }, async (port) => {
    const none = await ask(port, '/api/v1/stats');
    assertProblem(none, 401, /Authorization: Bearer/);
    assert.equal(none.headers['www-authenticate'], 'Bearer realm="viaduct"');
    assertProblem(await ask(port, '/api/v1/stats', { authorization: 'Bearer wrong' }), 401, /not the right one/);
    assertProblem(await ask(port, '/api/v1/stats', { authorization: 'Basic dGhlLXRva2Vu' }), 401, /Bearer/);
    assert.equal((await ask(port, '/api/v1/stats', { authorization: `Bearer ${TOKEN}` })).status, 200);
    assert.equal((await ask(port, '/phone', { host: 'sip.example.com' })).status, 200);
    assert.equal((await ask(port, '/health')).status, 200);
  });
});

test('on another port (app.routing) there are pages and /health, and REST only with the token', async () => {
  for (const apiToken of [undefined, TOKEN]) {
    const app = await http({ apiToken });
    const other = createServer(app.routing).listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => other.once('listening', resolve));
      const address = other.address();
      assert.ok(address !== null && typeof address === 'object');
      const headers = { host: 'sip.example.com', authorization: `Bearer ${TOKEN}` };
      assert.equal((await ask(address.port, '/phone', headers)).status, 200);
      assert.equal((await ask(address.port, '/health', headers)).status, 200);
      const status = (await ask(address.port, '/api/v1/stats', headers)).status;
      assert.equal(status, apiToken === undefined ? 403 : 200);
    } finally {
      other.close();
      await app.close();
    }
  }
});

test('demonstration passwords are told to a browser that names this machine, and to no other', async () => {
  await listening({ apiToken: TOKEN }, async (port) => {
    const here = await ask(port, '/phone/config.json', { host: 'localhost:8081' });
    assert.partialDeepStrictEqual(here.json, { demo: true, accounts: [{ name: 'alice', password: 'secret' }] });
    assert.equal(here.headers['cache-control'], 'no-store');
    const elsewhere = await ask(port, '/phone/config.json', { host: 'sip.example.com' });
    const sip = [{ transport: 'udp', address: '127.0.0.1:5060' }];
    assert.deepEqual(elsewhere.json, { wsUrl: 'ws://sip.example.com', domain: 'example.com', demo: true, sip });
  });
});

test('a page: type, ETag, 304 for the same one, gzip where it is understood', async () => {
  await listening({}, async (port) => {
    const plain = await ask(port, '/phone.js');
    assert.equal(plain.text, 'let phone;');
    assert.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8');
    const etag = String(plain.headers.etag);
    const again = await ask(port, '/phone.js', { 'if-none-match': etag });
    assert.deepEqual([again.status, again.text], [304, '']);
    const packed = await ask(port, '/phone.js', { 'accept-encoding': 'br, gzip' });
    assert.deepEqual([packed.headers['content-encoding'], packed.text], ['gzip', 'gzip of let phone;']);
  });
});

test('security headers: our own scripts only, no framing, no CORS, and the one WebSocket of the phone', async () => {
  await listening({}, async (port) => {
    const phone = await ask(port, '/phone', { host: 'localhost:8081' });
    const policy = String(phone.headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self';/);
    assert.match(policy, /connect-src 'self' ws:\/\/localhost:8081;/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    for (const answer of [phone, await ask(port, '/api/v1/stats'), await ask(port, '/nothing')]) {
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(answer.headers['referrer-policy'], 'no-referrer');
      assert.match(String(answer.headers['content-security-policy']), /frame-ancestors 'none'/);
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
    }
  });
});

test('404, 405, 414 and unreadable addresses are problem+json', async () => {
  await listening({}, async (port) => {
    assertProblem(await ask(port, '/nothing'), 404, /nothing at \/nothing/);
    assertProblem(await ask(port, '/api/v1/nothing'), 404, /nothing at/);
    assertProblem(await ask(port, '/%zz'), 400, /./);
    assertProblem(await ask(port, `/health?${'a'.repeat(3000)}`), 414, /2048/);
    const posted = await ask(port, '/api/v1/calls', {}, 'POST');
    assertProblem(posted, 405, /has no POST, but GET, HEAD/);
    assert.equal(posted.headers.allow, 'GET, HEAD');
    const put = await ask(port, '/api/v1/subscribers/alice@example.com?x=1', {}, 'PUT');
    assertProblem(put, 405, /has no PUT/);
    assert.equal(put.headers.allow, 'DELETE, GET, HEAD, PATCH');
    assertProblem(await ask(port, '/nothing', {}, 'DELETE'), 404, /nothing at/);
  });
});

test('a word that is none of several is answered with those that are', async () => {
  const app = await http({ apiToken: TOKEN });
  const payload = { presentity: 'sip:bob@example.com', watcher: 'sip:carol@example.com', policy: 'no' };
  const headers = { host: 'localhost', authorization: `Bearer ${TOKEN}` };
  const answer = await app.inject({ method: 'PUT', url: '/api/v1/presence/rules', headers, payload });
  assert.equal(answer.statusCode, 400);
  assert.equal(answer.json().detail, 'body/policy must be one of allow, block, polite-block.');
  await app.close();
});

test('a row of errors is logged in its words with what to do; the stack is for bugs', async () => {
  const logged: string[] = [];
  const log = {
    level: 'info' as const,
    debug() {},
    info() {},
    warn: (about: object, words: string) => void logged.push(`warn ${words} ${JSON.stringify(about)}`),
    error: (about: object, words: string) => void logged.push(`error ${words} ${'err' in about}`),
  };
  for (const thrown of [new Failure('recording-off'), new TypeError('a bug')]) {
    const record = async () => Promise.reject(thrown);
    const app = await http({ apiToken: TOKEN, log, operations: { ...operations, record } });
    const headers = { host: 'localhost', authorization: `Bearer ${TOKEN}` };
    await app.inject({ method: 'POST', url: '/api/v1/calls/x/recording', headers, payload: { action: 'start' } });
    await app.close();
  }
  assert.match(logged[0] ?? '', /^warn There is no folder for recordings. .*"code":"recording-off".*Set RECORDING_DIR/);
  assert.deepEqual(logged.slice(1), ['error A HTTP request failed true']);
});

test('what is not HTTP gets 400, too large a header 431, and the connection ends', async () => {
  await listening({}, async (port) => {
    const talk = async (text: string) => {
      const socket = connect(port, '127.0.0.1');
      socket.end(text);
      let answer = '';
      for await (const chunk of socket.setEncoding('utf8')) answer += chunk;
      return answer;
    };
    assert.match(
      await talk('OPTIONS sip:x SIP/2.0\r\n\r\n'),
      /^HTTP\/1\.1 400 [\s\S]*problem\+json[\s\S]*"status":400/,
    );
    const large = `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}\r\n\r\n`;
    assert.match(await talk(large), /^HTTP\/1\.1 431 [\s\S]*problem\+json/);
  });
});

test('a connection that times out gets no answer, which a browser would take for that to its next request', async () => {
  await listening({}, async (_port, app) => {
    const socket = new PassThrough();
    app.server.emit('clientError', Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    assert.equal(socket.readableLength, 0);
    assert.ok(socket.destroyed);
  });
});

test('HTTP names a port in use, and an address that is not ours', async () => {
  await listening({}, async (port) => {
    const other = await http();
    const inUse = { name: 'Failure', code: 'listen-in-use', detail: `HTTP 127.0.0.1:${port}` };
    await assert.rejects(listenHttp(other, { host: '127.0.0.1', port }), inUse);
    await other.close();
  });
  const app = await http();
  await assert.rejects(listenHttp(app, { host: '192.0.2.1', port: 0 }), (thrown) => {
    return thrown instanceof Failure && thrown.code === 'listen-address';
  });
  await app.close();
});
