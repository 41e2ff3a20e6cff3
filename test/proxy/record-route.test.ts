import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseUri } from '../../src/message/uri.ts';
import type { Listener, Transport } from '../../src/ports.ts';
import { carriesToken, recordRoutes, tokenOf, transportParam } from '../../src/proxy/record-route.ts';
import { listenerOf } from '../support/fake-proxy.ts';

const uris = (upstream: Listener, downstream: Listener): readonly string[] =>
  recordRoutes('TOKEN', upstream, downstream).map(({ uri }) => uri);

const udp = listenerOf('udp', 0);
const wss = listenerOf('wss', 4, '192.0.2.100', 8443);

describe('RFC 3261 §16.6 step 4: our Record-Route', () => {
  test('is one value where both sides use one listener', () => {
    assert.deepEqual(uris(udp, udp), ['sip:TOKEN@192.0.2.100:5060;lr']);
  });

  test('RFC 5658 §5: is two where they do not, the one for downstream on top, with one token', () => {
    const ws = 'sip:TOKEN@192.0.2.100:8443;transport=ws;lr';
    assert.deepEqual(uris(wss, udp), ['sip:TOKEN@192.0.2.100:5060;lr', ws]);
    assert.deepEqual(uris(udp, wss), [ws, 'sip:TOKEN@192.0.2.100:5060;lr']);
  });

  test('RFC 5658 §5: is two for two listeners of one transport, too: each side can reach one of them only', () => {
    const other = listenerOf('udp', 1, '198.51.100.1');
    assert.equal(uris(udp, other).length, 2);
  });

  test('names the advertised host, an IPv6 address in brackets', () => {
    const behind = { ...udp, advertised: { host: 'sip.example.com', port: 5090 } };
    assert.deepEqual(uris(behind, behind), ['sip:TOKEN@sip.example.com:5090;lr']);
    const v6 = listenerOf('udp', 3, '2001:db8::100');
    assert.deepEqual(uris(v6, v6), ['sip:TOKEN@[2001:db8::100]:5060;lr']);
  });

  test('RFC 7118 §5.2: names its transport, `ws` for a secure WebSocket as well, and nothing for UDP', () => {
    const params = (['udp', 'tcp', 'tls', 'ws', 'wss'] as const satisfies readonly Transport[]).map((transport) =>
      transportParam(listenerOf(transport)),
    );
    assert.deepEqual(params, ['', ';transport=tcp', ';transport=tls', ';transport=ws', ';transport=ws']);
  });
});

describe('how we know it again', () => {
  const token = (text: string): string | undefined => {
    const uri = parseUri(text);
    assert.ok(uri !== undefined, text);
    return tokenOf(uri);
  };

  test('the token is the user part of a URI with `lr`', () => {
    assert.equal(token('sip:TOKEN@us;lr'), 'TOKEN');
    assert.equal(token('sip:TOKEN@us;transport=ws;LR'), 'TOKEN');
    assert.equal(token('sip:TOKEN@us;lr=on'), 'TOKEN');
    assert.equal(token('sip:TOKEN@us'), undefined);
    assert.equal(token('sip:us;lr'), undefined);
  });

  test('a URI carries this token or not; what is no URI carries none', () => {
    assert.equal(carriesToken('sip:TOKEN@us;lr', 'TOKEN'), true);
    assert.equal(carriesToken('sip:OTHER@us;lr', 'TOKEN'), false);
    assert.equal(carriesToken('sip:token@us;lr', 'TOKEN'), false);
    assert.equal(carriesToken('TOKEN', 'TOKEN'), false);
  });

  test('what we write we know again, whatever the listener', () => {
    for (const listener of [udp, wss, listenerOf('tls', 2, '2001:db8::100', 5061)]) {
      for (const uri of uris(listener, listener)) assert.ok(carriesToken(uri, 'TOKEN'), uri);
    }
  });
});
