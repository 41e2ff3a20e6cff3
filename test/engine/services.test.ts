import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RequestParts } from '../support/fake-proxy.ts';
import { inWords, requestOf } from '../support/fake-proxy.ts';
import { bobsBinding } from './records.ts';
import { asRoute, flow, textOf } from './stage.ts';

describe('RFC 3261 §16.3: what is wrong with a request', () => {
  const refusal = async (parts: RequestParts): Promise<string> => {
    const { proxy, request } = await asRoute(textOf(parts));
    return inWords(proxy.check(request));
  };

  test('nothing', async () => assert.equal(await refusal({}), 'not mine'));

  test('an extension that we do not have', async () => {
    assert.equal(await refusal({ headers: [['Proxy-Require', 'foo']] }), 'reply 420 bad-extension');
  });

  test('step 3: no hop is left, unless the request is for this server itself', async () => {
    const noHop = async (parts: RequestParts): Promise<string> => {
      const { proxy, request } = await asRoute(textOf(parts).replace('Max-Forwards: 70', 'Max-Forwards: 0'));
      return inWords(proxy.check(request));
    };
    assert.equal(await noHop({}), 'reply 483 too-many-hops');
    assert.equal(await noHop({ method: 'OPTIONS', uri: 'sip:example.com' }), 'not mine');
    assert.equal(await noHop({ method: 'OPTIONS', uri: 'sip:192.0.2.100:5060' }), 'not mine');
    assert.equal(await noHop({ method: 'OPTIONS', uri: 'sip:example.org' }), 'reply 483 too-many-hops');
  });

  test('step 4: it carries a Via of ours with its own loop hash', async () => {
    const { request } = await asRoute(textOf({}));
    const ours = `SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKab.${request.loopHash}`;
    assert.equal(await refusal({ headers: [['Via', ours]] }), 'reply 482 loop-detected');
    const another = `SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bKab.${request.loopHash}`;
    assert.equal(await refusal({ headers: [['Via', another]] }), 'not mine');
  });
});

describe('addresses', () => {
  test('of our domains and of ourselves are ours; the server is an address without user', async () => {
    const { proxy } = await asRoute();
    const seen = (uri: string) => [proxy.domains.isOurs(uri), proxy.domains.isServer(uri)];
    assert.deepEqual(seen('sip:example.com'), [true, true]);
    assert.deepEqual(seen('sip:bob@example.com'), [true, false]);
    assert.deepEqual(seen('sip:192.0.2.100'), [true, true]);
    assert.deepEqual(seen('sip:example.org'), [false, false]);
    assert.deepEqual(seen('tel:+4930'), [false, false]);
  });

  test('a subscriber is found by any spelling of its address (RFC 3261 §19.1.4)', async () => {
    const { proxy, database } = await asRoute();
    database.addUser('bob', 'example.com', 'secret');
    const spellings = ['sip:bob@example.com', 'sips:bob@EXAMPLE.com:5061;user=phone', 'sip:%62o%62@example.com'];
    for (const uri of spellings) assert.equal(await proxy.subscribers.exists(uri), true, uri);
    const others = ['sip:Bob@example.com', 'sip:bob@example.org', 'sip:example.com', 'tel:+4930', ''];
    for (const uri of others) assert.equal(await proxy.subscribers.exists(uri), false, uri);
  });

  test('so are its contacts; those of a closed connection are left out', async () => {
    const { proxy, database } = await asRoute();
    const save = [
      { ...bobsBinding, key: 'open', contact: 'sip:open@b.invalid', flowId: flow.id },
      { ...bobsBinding, key: 'gone', contact: 'sip:gone@b.invalid', flowId: 'c00b007-99' },
    ];
    await database.location.change({ ...bobsBinding, save, remove: [] });
    for (const uri of ['sip:bob@example.com', 'sip:%62ob@Example.com;transport=tls']) {
      assert.deepEqual(
        (await proxy.location.lookup(uri)).map((target) => target.uri),
        ['sip:open@b.invalid'],
      );
    }
    // RFC 5630: they are on TCP.
    await assert.rejects(proxy.location.lookup('sips:bob@example.com'), { code: 'not-secured' });
    assert.deepEqual(await proxy.location.lookup('tel:+4930'), []);
  });

  test('a contact that is another address of ours leads to the devices of that one', async () => {
    const { proxy, database } = await asRoute();
    const carol = 'sip:carol@example.com';
    await database.location.change({ ...bobsBinding, save: [{ ...bobsBinding, contact: carol }], remove: [] });
    const save = [{ ...bobsBinding, aor: carol, contact: 'sip:carol@192.0.2.3' }];
    await database.location.change({ ...bobsBinding, aor: carol, save, remove: [] });
    const targets = await proxy.location.lookup('sip:bob@example.com');
    assert.deepEqual(
      targets.map(({ uri }) => uri),
      ['sip:carol@192.0.2.3'],
    );
  });
});

test('DESIGN law 4: who is reached by the flow of his request', async () => {
  const { proxy, request } = await asRoute();
  assert.equal(proxy.nat.mustUseFlow(request), true, 'a client on a connection');
  assert.equal(proxy.nat.mustUseFlow(requestOf()), false, 'a UDP client that shows its own address');
});

test('ACCEPT_FOREIGN is what the setting says', async () => {
  for (const acceptForeign of [true, false]) {
    assert.equal((await asRoute(textOf({}), { acceptForeign })).proxy.acceptForeign, acceptForeign);
  }
});
