import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalAor, parseUri } from '../../src/message/uri.ts';
import type { Binding } from '../../src/ports.ts';
import { type Gruu, isOfGruu, publicGruu, readGruu, temporaryGruu } from '../../src/registrar/gruu.ts';
import { decodeTemporary, encodeTemporary, longestTemporary, registrationHash } from '../../src/registrar/temp-gruu.ts';
import { bobsBinding } from '../engine/records.ts';

const secret = '5f'.repeat(32);
const uuid = 'urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6';

/** Of alice's device, registered by its third REGISTER. */
function binding(parts: Partial<Binding> = {}, instance = `<${uuid}>`): Binding {
  const contactParams = `;+sip.instance="${instance}";reg-id=1`;
  const alice = { aor: 'sip:alice@example.com', contact: 'sip:a1@x1.invalid;transport=ws', contactParams };
  const key = `${instance.toLowerCase()};reg-id=1`;
  return { ...bobsBinding, ...alice, key, callId: 'reg-1', cseq: 3, gruuCSeq: 1, ...parts };
}

function read(text: string | undefined, secrets: readonly string[] = [secret]): ReturnType<typeof readGruu> {
  const uri = parseUri(text ?? '');
  assert.ok(uri !== undefined, `${text} is a URI`);
  return readGruu(uri, ({ host }) => host.toLowerCase(), secrets);
}

function gruu(text: string | undefined, secrets?: readonly string[]): Gruu {
  const found = read(text, secrets);
  assert.ok(found !== undefined && found !== 'invalid', `${text} is a GRUU`);
  return found;
}

describe('RFC 5627 §5.4: a public GRUU', () => {
  test('is the AOR with the instance id in gr, and names its device again', () => {
    const text = publicGruu(binding());
    assert.equal(text, `sip:alice@example.com;gr=${uuid}`);
    assert.deepEqual(gruu(text), {
      aor: 'sip:alice@example.com',
      device: `<${uuid}>`,
      given: undefined,
      isSecure: false,
    });
  });

  test('stays the same however its host, its device and its escapes are written', () => {
    for (const text of [
      `sip:alice@EXAMPLE.com;gr=${uuid.toUpperCase()}`,
      `sip:%61lice@example.com;transport=udp;GR=${uuid.replace('f', '%46')}`,
    ]) {
      assert.ok(isOfGruu(gruu(text), binding()), text);
    }
  });

  test('escapes what a parameter may not hold, and an instance id that is not its own is none', () => {
    const odd = binding({}, '<urn:x:a;b=c%20d>');
    assert.equal(publicGruu(odd), 'sip:alice@example.com;gr=urn:x:a%3Bb%3Dc%2520d');
    assert.ok(isOfGruu(gruu(publicGruu(odd)), odd));
    for (const instance of ['urn:uuid:1', '<>', '<a b>', `<${'x'.repeat(251)}>`]) {
      assert.equal(publicGruu(binding({}, instance)), undefined, instance);
    }
  });

  test('leads to each flow of its device, and to no other device and no other account', () => {
    const named = gruu(publicGruu(binding()));
    assert.ok(isOfGruu(named, binding({ key: `<${uuid}>;reg-id=2`, callId: 'other' })));
    assert.ok(!isOfGruu(named, binding({}, '<urn:uuid:other>')));
    assert.ok(!isOfGruu(named, binding({ aor: 'sip:bob@example.com' })));
  });

  test('the AOR itself, and a URI without a user, are none', () => {
    for (const text of ['sip:alice@example.com', `sip:example.com;gr=${uuid}`]) assert.equal(read(text), undefined);
  });

  test('RFC 5630: a SIPS contact gets SIPS GRUUs, which lead to SIPS contacts only', () => {
    const secure = binding({ contact: 'sips:alice@192.0.2.1' });
    assert.equal(publicGruu(secure), `sips:alice@example.com;gr=${uuid}`);
    assert.match(temporaryGruu(secure, secret) ?? '', /^sips:/);
    assert.ok(isOfGruu(gruu(publicGruu(secure)), secure));
    assert.ok(!isOfGruu(gruu(publicGruu(secure)), binding()));
    assert.ok(isOfGruu(gruu(publicGruu(binding())), secure), 'the SIP form reaches it as well');
  });
});

describe('RFC 5627 §5.1, Appendix A.2: a temporary GRUU', () => {
  test('names device and registration again, is 80 characters, and shows neither account nor device', () => {
    const text = temporaryGruu(binding(), secret) ?? '';
    assert.match(text, /^sip:[\w-]{80}@example\.com;gr$/);
    assert.deepEqual(gruu(text), {
      aor: 'sip:alice@example.com',
      device: `<${uuid}>`,
      given: { registrationHash: registrationHash('reg-1'), cseq: 3 },
      isSecure: false,
    });
    const bytes = Buffer.from(text.slice(4, 84), 'base64url').toString('latin1');
    assert.doesNotMatch(bytes, /alice/);
  });

  test('is another one with each REGISTER, for each device and each account: nothing of two of them is equal', () => {
    const all = [
      binding(),
      binding({ cseq: 4 }),
      binding({ callId: 'reg-2' }),
      binding({ aor: 'sip:bob@example.com' }),
      binding({}, '<urn:uuid:0f1e2d3c-1111-4222-8333-444455556666>'),
    ].map((one) => (temporaryGruu(one, secret) ?? '').slice(4, 84));
    for (const length of [8, 80]) {
      assert.equal(new Set(all.map((text) => text.slice(0, length))).size, all.length);
      assert.equal(new Set(all.map((text) => text.slice(-length))).size, all.length);
    }
  });

  test('is the same whenever it is asked for, so that nothing but the binding need be kept', () => {
    assert.equal(temporaryGruu(binding(), secret), temporaryGruu(binding({ q: 0.5 }), secret));
  });

  test('is none for a device that has not asked for one', () => {
    assert.equal(temporaryGruu(binding({ gruuCSeq: undefined }), secret), undefined);
  });

  test('is good as long as its registration: refreshed yes; new Call-ID, or gone and begun again, no', () => {
    const named = gruu(temporaryGruu(binding(), secret));
    assert.ok(isOfGruu(named, binding()));
    assert.ok(isOfGruu(named, binding({ cseq: 9 })));
    assert.ok(!isOfGruu(named, binding({ callId: 'reg-2', cseq: 1, gruuCSeq: 1 })));
    assert.ok(!isOfGruu(named, binding({ cseq: 9, gruuCSeq: 9 })), 'the device was away since');
    assert.ok(!isOfGruu(named, binding({ cseq: 9, gruuCSeq: undefined })));
  });

  test('an old secret still reads it; another one, and another domain, do not', () => {
    const text = temporaryGruu(binding(), secret) ?? '';
    assert.ok(isOfGruu(gruu(text, ['aa'.repeat(32), secret]), binding()));
    assert.equal(read(text, ['aa'.repeat(32)]), 'invalid');
    assert.equal(read(text.replace('example.com', 'example.net')), 'invalid');
  });

  test('any changed character makes it invalid', () => {
    const user = (temporaryGruu(binding(), secret) ?? '').slice(4, 84);
    for (let at = 0; at < user.length; at++) {
      const forged = `${user.slice(0, at)}${user[at] === 'A' ? 'B' : 'A'}${user.slice(at + 1)}`;
      assert.equal(read(`sip:${forged}@example.com;gr`), 'invalid', `character ${at}`);
    }
    for (const other of ['alice', 'A'.repeat(80), 'A'.repeat(longestTemporary + 4)]) {
      assert.equal(read(`sip:${other}@example.com;gr`), 'invalid', other);
    }
  });

  test('law 9: names of any length come back or have none, and none is longer than the bound', () => {
    const name = fc.string({
      unit: fc.integer({ min: 33, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 140,
    });
    const cseq = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(name, name, cseq, (user, device, number) => {
        const names = { user, host: 'example.com', device, registrationHash: registrationHash(device), cseq: number };
        const text = encodeTemporary(names, secret);
        if (text === undefined) assert.ok(Math.max(user.length, device.length) > 128);
        else {
          assert.ok(text.length <= longestTemporary);
          const { host, ...rest } = names;
          assert.deepEqual(decodeTemporary(text, host, [secret]), rest);
        }
      }),
    );
  });

  test('its AOR is canonical, whatever the account is called', () => {
    const aor = canonicalAor(parseUri('sip:%C3%A4nne+1@example.com') ?? assert.fail());
    assert.equal(gruu(temporaryGruu(binding({ aor }), secret)).aor, aor);
  });
});
