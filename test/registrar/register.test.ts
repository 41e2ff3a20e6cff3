import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SipRequest } from '../../src/message/message.ts';
import { parseMessage } from '../../src/message/scan.ts';
import type { Binding, BindingChange } from '../../src/ports.ts';
import {
  defaultLimits,
  planRegister,
  type Refusal,
  type RegisterContext,
  registerAor,
} from '../../src/registrar/register.ts';
import { registerResponse } from '../../src/registrar/response.ts';

const nowMs = 1_700_000_000_000;
const context: RegisterContext = {
  nowMs,
  flowId: 'c0a0b0c-7',
  node: 'node-1',
  boot: '0a0b0c',
  transport: 'udp',
  source: '203.0.113.1:40000',
};

function register(...lines: readonly string[]): SipRequest {
  const own = new Set(lines.map((line) => line.slice(0, line.indexOf(':'))));
  const base = {
    Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    From: '<sip:alice@example.com>;tag=1',
    To: '<sip:alice@example.com>',
    'Call-ID': 'reg-1',
    CSeq: '7 REGISTER',
  };
  const rest = Object.entries(base).filter(([name]) => !own.has(name));
  const text = [
    'REGISTER sip:example.com SIP/2.0',
    ...rest.map(([name, value]) => `${name}: ${value}`),
    ...lines,
    '',
    '',
  ];
  const message = parseMessage(text.join('\r\n'));
  assert.ok(message.kind === 'request', 'a request');
  return message;
}

function change(request: SipRequest, more: Partial<RegisterContext> = {}): BindingChange {
  const plan = planRegister(request, { ...context, ...more });
  assert.ok('change' in plan, JSON.stringify(plan));
  return plan.change;
}

function refusal(request: SipRequest, more: Partial<RegisterContext> = {}): Refusal {
  const plan = planRegister(request, { ...context, ...more });
  assert.ok('refuse' in plan, JSON.stringify(plan));
  return plan.refuse;
}

function saved(request: SipRequest, more: Partial<RegisterContext> = {}): Binding {
  const [binding, ...others] = change(request, more).save;
  assert.ok(binding !== undefined && others.length === 0, 'one binding');
  return binding;
}

function contacts(request: SipRequest, bindings: readonly Binding[], atMs = nowMs): readonly string[] {
  return registerResponse(request, bindings, atMs).flatMap(([name, text]) => (name === 'Contact' ? [text] : []));
}

const instance = '+sip.instance="<urn:uuid:0F1E2D3C-1111-4222-8333-444455556666>"';
const jssip = register(
  'Via: SIP/2.0/WSS 8d1k2jf.invalid;branch=z9hG4bK7410985',
  'Max-Forwards: 69',
  `Contact: <sip:k3j1h5@8d1k2jf.invalid;transport=ws>;+sip.ice;reg-id=1;${instance};expires=600`,
  'Expires: 600',
  'Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY',
  'Supported: path,gruu,outbound',
  'User-Agent: JsSIP 3.13.8',
  'Content-Length: 0',
);
const sipjs = register(
  'Via: SIP/2.0/WSS m9q2.invalid;branch=z9hG4bK5517',
  'Max-Forwards: 70',
  'Contact: <sip:8hq2m1k0@m9q2.invalid;transport=ws>;expires=600',
  'Supported: outbound, path, gruu',
  'User-Agent: SIP.js/0.21.2',
  'Content-Length: 0',
);

test('RFC 3261 §10.3: a REGISTER becomes a change with all that the location service keeps', () => {
  const request = register(
    'Contact: "Desk" <sip:alice@192.0.2.1:5062>;q=0.5;expires=120;+sip.methods="INVITE"',
    'User-Agent: baresip',
  );
  assert.deepEqual(change(request, { flowId: undefined }), {
    aor: 'sip:alice@example.com',
    callId: 'reg-1',
    cseq: 7,
    remove: [],
    save: [
      {
        aor: 'sip:alice@example.com',
        key: 'sip:alice@192.0.2.1:5062',
        contact: 'sip:alice@192.0.2.1:5062',
        contactParams: ';+sip.methods="INVITE"',
        q: 0.5,
        expiresAtMs: nowMs + 120_000,
        callId: 'reg-1',
        cseq: 7,
        path: [],
        flowId: undefined,
        node: 'node-1',
        boot: '0a0b0c',
        transport: 'udp',
        source: '203.0.113.1:40000',
        userAgent: 'baresip',
        media: undefined,
        gruuCSeq: undefined,
      },
    ],
  });
});

test('RFC 3261 §10.3 step 5: the AOR comes from To, without port, parameters and needless escapes', () => {
  const to = 'To: "Alice" <sips:%61lice@EXAMPLE.com:5061;transport=tls>;tag=x';
  assert.equal(registerAor(register(to)), 'sip:alice@example.com');
  assert.equal(registerAor(register('To: <tel:+4930>')), undefined);
  assert.deepEqual(refusal(register('To: <tel:+4930>')), { status: 400, code: 'malformed' });
});

test('RFC 3261 §10.3: without Contact it is a query', () => {
  assert.deepEqual(planRegister(register('Expires: 600'), context), { fetch: true, aor: 'sip:alice@example.com' });
});

test('RFC 3261 §10.3 step 2: a required extension that we lack is 420 with Unsupported', () => {
  const refused = refusal(register('Contact: <sip:a@192.0.2.1>', 'Require: path, foo', 'Require: bar'));
  assert.deepEqual(refused, { status: 420, code: 'bad-extension', headers: [['Unsupported', 'foo, bar']] });
  assert.equal(change(register('Contact: <sip:a@192.0.2.1>', 'Require: outbound, path')).save.length, 1);
});

test('RFC 3261 §10.3 step 6: `*` removes all, but only alone and with Expires: 0', () => {
  assert.deepEqual(change(register('Contact: *', 'Expires: 0')), {
    aor: 'sip:alice@example.com',
    callId: 'reg-1',
    cseq: 7,
    save: [],
    remove: '*',
  });
  assert.equal(refusal(register('Contact: *')).status, 400);
  assert.equal(refusal(register('Contact: *', 'Expires: 60')).status, 400);
  assert.equal(refusal(register('Contact: *', 'Contact: <sip:a@192.0.2.1>', 'Expires: 0')).status, 400);
  assert.equal(refusal(register('Contact: *, *', 'Expires: 0')).status, 400);
});

test('RFC 3261 §10.3 step 7: the lifetime is the expires parameter, else the Expires header, else an hour', () => {
  const seconds = (contact: string, ...more: readonly string[]): number =>
    (saved(register(`Contact: ${contact}`, ...more)).expiresAtMs - nowMs) / 1000;
  assert.equal(seconds('<sip:a@192.0.2.1>;expires=300', 'Expires: 600'), 300);
  assert.equal(seconds('<sip:a@192.0.2.1>', 'Expires: 600'), 600);
  assert.equal(seconds('<sip:a@192.0.2.1>'), 3600);
  assert.equal(seconds('<sip:a@192.0.2.1>;expires=soon', 'Expires: 600'), 3600, 'RFC 3261 §10.2.1.1');
  assert.equal(seconds('<sip:a@192.0.2.1>', 'Expires: soon'), 3600);
  assert.equal(seconds('<sip:a@192.0.2.1>;expires=4294967295'), 7200, 'clamped');
  assert.equal(seconds('<sip:a@192.0.2.1>;expires=60'), 60);
});

test('RFC 3261 §10.3 step 7: a lifetime too short is 423 with Min-Expires, for any of the contacts', () => {
  const refused = { status: 423, code: 'interval-too-brief', headers: [['Min-Expires', '60']] };
  assert.deepEqual(refusal(register('Contact: <sip:a@192.0.2.1>;expires=59')), refused);
  assert.deepEqual(refusal(register('Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>;expires=1')), refused);
});

test('RFC 3261 §10.2.2: expires 0 removes that contact and leaves the others', () => {
  const request = register('Contact: <sip:a@192.0.2.1>;expires=0, <sip:b@192.0.2.1>');
  const { save, remove } = change(request);
  assert.deepEqual(remove, ['sip:a@192.0.2.1']);
  assert.deepEqual(
    save.map((binding) => binding.contact),
    ['sip:b@192.0.2.1'],
  );
  const header = change(register('Contact: <sip:a@192.0.2.1>', 'Expires: 0'));
  assert.deepEqual([header.save, header.remove], [[], ['sip:a@192.0.2.1']]);
});

test('DESIGN §5: a key stands once in a change; of the same contact twice the last counts', () => {
  const twice = change(register('Contact: <sip:a@192.0.2.1>;q=0.1, <sip:a@192.0.2.1>;q=0.9'));
  assert.deepEqual(
    twice.save.map((binding) => binding.q),
    [0.9],
  );
  const gone = change(register('Contact: <sip:a@192.0.2.1>, <sip:%61@192.0.2.1>;expires=0'));
  assert.deepEqual([gone.save, gone.remove], [[], ['sip:a@192.0.2.1']]);
});

test('RFC 3261 §10.3: a Contact that cannot be read, is no SIP URI, or is endless is malformed', () => {
  for (const contact of ['<sip:a@192.0.2.1', '<mailto:a@example.com>', `<sip:${'a'.repeat(600)}@192.0.2.1>`]) {
    assert.deepEqual(refusal(register(`Contact: ${contact}`)), { status: 400, code: 'malformed' }, contact);
  }
});

test('law 9: a REGISTER with more contacts than an address may have is refused before the database is asked', () => {
  const uris = Array.from({ length: 11 }, (_, index) => `<sip:a${index}@192.0.2.1>`);
  assert.equal(change(register(`Contact: ${uris.slice(1).join(', ')}`)).save.length, 10);
  const extra = register(`Contact: ${uris.join(', ')}`);
  assert.deepEqual(refusal(extra), { status: 403, code: 'too-many-contacts', headers: [] });
});

test('RFC 3261 §10.3 step 7: the longest lifetime may be another one for some transports', () => {
  const limits = { ...defaultLimits, maxSeconds: 7200, maxSecondsBy: { wss: 600 } };
  const asked = register('Contact: <sip:a@192.0.2.1>;expires=99999');
  const granted = (['udp', 'wss'] as const).map(
    (transport) => (saved(asked, { transport, limits }).expiresAtMs - nowMs) / 1000,
  );
  assert.deepEqual(granted, [7200, 600]);
});

test('what is registered by a token ends with it, also a device that can be woken, and less than the least is granted', () => {
  const granted = (contact: string, untilMs: number): number =>
    saved(register(`Contact: ${contact}`), { untilMs }).expiresAtMs - nowMs;
  const awake = '<sip:a@192.0.2.1>;expires=600';
  const asleep = '<sip:a@x.invalid;pn-provider=webpush;pn-prid=https://push.example/a>;expires=604800';
  assert.deepEqual(
    [awake, asleep].map((contact) => granted(contact, nowMs + 90_500)),
    [90_000, 90_000],
  );
  assert.equal(granted(awake, nowMs + 30_000), 30_000);
  assert.equal(granted(awake, nowMs + 999), 1000);
  assert.equal(granted(awake, nowMs + 3_600_000), 600_000);
  const brief = register('Contact: <sip:a@192.0.2.1>;expires=30');
  assert.equal(refusal(brief).status, 423, 'who asks for too little is told so all the same');
});

test('RFC 5626 §6: the same instance and reg-id replace the binding, whatever the Contact URI is', () => {
  const key = (contact: string): string => saved(register(`Contact: ${contact}`)).key;
  const first = key(`<sip:k3j1h5@old.invalid;transport=ws>;reg-id=1;${instance}`);
  assert.equal(first, '<urn:uuid:0f1e2d3c-1111-4222-8333-444455556666>;reg-id=1');
  assert.equal(key(`<sip:zzz@new.invalid;transport=wss>;reg-id=1;${instance.toLowerCase()}`), first);
  assert.notEqual(
    key(`<sip:k3j1h5@old.invalid;transport=ws>;reg-id=2;${instance}`),
    first,
    'a second flow of the device',
  );
  assert.equal(
    key(`<sip:x@192.0.2.1>;${instance}`),
    key(`<sip:y@192.0.2.1>;reg-id=0;${instance}`),
    'no reg-id is one more',
  );
  assert.equal(key('<sip:X@192.0.2.1>;reg-id=1'), 'sip:X@192.0.2.1', 'reg-id alone says nothing');
});

test('RFC 3261 §10.3 step 7: without an instance equal Contact URIs are one binding, others are two', () => {
  const key = (contact: string): string => saved(register(`Contact: ${contact}`)).key;
  assert.equal(key('<sip:%61@PHONE.example.com;ob>'), key('<sip:a@phone.example.com>'));
  assert.notEqual(key('<sip:a@192.0.2.1;transport=tcp>'), key('<sip:a@192.0.2.1>'));
  assert.notEqual(key('<sip:a@192.0.2.1:5062>'), key('<sip:a@192.0.2.1>'));
});

test('RFC 7118 §5: a browser is known by its transport or `+sip.ice`; a telephone tells nothing by REGISTER', () => {
  assert.equal(saved(jssip, { transport: 'wss' }).media, 'webrtc');
  assert.equal(saved(sipjs, { transport: 'ws' }).media, 'webrtc');
  assert.equal(saved(sipjs, { transport: 'tcp' }).media, 'webrtc', 'through an edge proxy its Contact still says ws');
  assert.equal(saved(register('Contact: <sip:a@192.0.2.1>;+sip.ice')).media, 'webrtc');
  for (const transport of ['udp', 'tcp', 'tls'] as const) {
    assert.equal(saved(register('Contact: <sip:a@192.0.2.1>'), { transport }).media, undefined);
  }
});

test('RFC 3327 §5.3: Path is stored first hop first, also of a client that does not list `path`', () => {
  const path = ['Path: <sip:p1.example.com;lr>', 'Path: <sip:p2.example.com;lr>, <sip:p3.example.com;lr;ob>'];
  const stored = ['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>', '<sip:p3.example.com;lr;ob>'];
  assert.deepEqual(saved(register('Contact: <sip:a@192.0.2.1>', ...path)).path, stored);
  assert.deepEqual(saved(register('Contact: <sip:a@192.0.2.1>', 'Supported: path', ...path)).path, stored);
  assert.equal(refusal(register('Contact: <sip:a@192.0.2.1>', 'Path: <sip:p1')).status, 400);
});

test('RFC 3261 §10.3 step 8, JsSIP: the 200 has its Contact first, with instance and reg-id as sent, and Require: outbound', () => {
  const others = change(register('Contact: <sip:other@192.0.2.9>;q=0.3;expires=90')).save;
  const headers = registerResponse(jssip, [...others, saved(jssip, { transport: 'wss' })], nowMs);
  assert.deepEqual(headers, [
    ['Contact', `<sip:k3j1h5@8d1k2jf.invalid;transport=ws>;+sip.ice;reg-id=1;${instance};expires=600`],
    ['Contact', '<sip:other@192.0.2.9>;q=0.3;expires=90'],
    ['Supported', 'path, outbound'],
    ['Require', 'outbound'],
    ['Date', 'Tue, 14 Nov 2023 22:13:20 GMT'],
  ]);
});

test('RFC 3261 §10.3 step 8, SIP.js: the 200 has its Contact first; without reg-id nothing is said of outbound', () => {
  const headers = registerResponse(sipjs, [...change(jssip).save, saved(sipjs)], nowMs);
  assert.deepEqual(headers[0], ['Contact', '<sip:8hq2m1k0@m9q2.invalid;transport=ws>;expires=600']);
  assert.ok(!headers.some(([name]) => name === 'Require'));
});

test('RFC 3261 §10.3 step 8: expires is what is left, rounded up; what has expired is not listed', () => {
  const request = register('Contact: <sip:a@192.0.2.1>;expires=60');
  const { save } = change(request);
  assert.deepEqual(contacts(request, save, nowMs + 59_001), ['<sip:a@192.0.2.1>;expires=1']);
  assert.deepEqual(contacts(request, save, nowMs + 60_000), []);
  assert.deepEqual(contacts(register('Expires: 0'), save), ['<sip:a@192.0.2.1>;expires=60'], 'a query');
});

test('RFC 5626 §6: behind a proxy that does not say `ob` the flow is not ours to promise', () => {
  const lines = [`Contact: <sip:a@192.0.2.1>;reg-id=1;${instance}`, 'Supported: path, outbound'];
  const vias = 'Via: SIP/2.0/UDP 192.0.2.5;branch=z9hG4bKp, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1';
  const requires = (...more: readonly string[]): boolean =>
    registerResponse(register(...lines, ...more), [], nowMs).some(([name]) => name === 'Require');
  assert.equal(requires(), true);
  assert.equal(requires(vias), false);
  assert.equal(requires(vias, 'Path: <sip:192.0.2.5;lr>'), false);
  assert.equal(requires(vias, 'Path: <sip:192.0.2.5;lr;ob>'), true);
});

test('RFC 3327 §5.3, RFC 3608 §6: Path goes back to who supports it, Service-Route when there is one', () => {
  const path = 'Path: <sip:p1.example.com;lr>';
  const own = { serviceRoute: ['<sip:192.0.2.100;lr>'] };
  const names = (request: SipRequest): readonly string[] =>
    registerResponse(request, [], nowMs, own).map(([name]) => name);
  const contact = 'Contact: <sip:a@192.0.2.1>';
  assert.deepEqual(names(register(contact, path, 'Supported: path')), ['Path', 'Service-Route', 'Supported', 'Date']);
  assert.deepEqual(names(register(contact, path)), ['Service-Route', 'Supported', 'Date']);
});

test('RFC 3261 §20.10: a q that cannot be read is 1, and 1 is not printed', () => {
  const q = (text: string): number => saved(register(`Contact: <sip:a@192.0.2.1>;q=${text}`)).q;
  assert.deepEqual(['0', '0.25', '1.000', '1.5', '-1', 'x', '.5'].map(q), [0, 0.25, 1, 1, 1, 1, 1]);
});

test('law 9: what a client says of itself is cut to a length and one line', () => {
  assert.equal(saved(register('Contact: <sip:a@192.0.2.1>', `User-Agent: ${'x'.repeat(9000)}`)).userAgent.length, 255);
});

test('RFC 3261 §7.3.1: contact parameters of any kind make a plan and never throw', () => {
  const piece = fc.string().map((text) => text.replace(/[\r\n\0]/g, ''));
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const plan = planRegister(register(`Contact: <sip:a@192.0.2.1>;${pieces.join(';')}`), context);
      assert.ok('change' in plan || 'refuse' in plan);
    }),
  );
});

test('RFC 8599: a device that can be woken stays registered for longer than one that must come back', () => {
  const limits = { ...defaultLimits, pushSeconds: 86_400 };
  const contact = '<sip:a@x.invalid;pn-provider=webpush;pn-prid=https://push.example/a>;expires=604800';
  assert.equal(saved(register(`Contact: ${contact}`), { limits }).expiresAtMs, nowMs + 86_400_000);
  assert.equal(saved(register(`Contact: ${contact}`)).expiresAtMs, nowMs + 7_200_000);
  assert.equal(saved(register('Contact: <sip:a@x.invalid>;expires=604800'), { limits }).expiresAtMs, nowMs + 7_200_000);
});

describe('RFC 5627: GRUUs in a registration', () => {
  const own = { tokenSecret: '5f'.repeat(32) };
  const given = (request: SipRequest, bindings: readonly Binding[], more = own): readonly string[] =>
    registerResponse(request, bindings, nowMs, more).flatMap(([name, text]) => (name === 'Contact' ? [text] : []));
  const plain = (...lines: readonly string[]): SipRequest =>
    register(`Contact: <sip:k3j1h5@8d1k2jf.invalid;transport=ws>;reg-id=1;${instance};expires=600`, ...lines);

  test('§5.2: who supports them and names its instance gets both, before the expiry', () => {
    const [contact] = given(jssip, [saved(jssip)]);
    assert.match(
      contact ?? '',
      /;pub-gruu="sip:alice@example\.com;gr=urn:uuid:0F1E2D3C-1111-4222-8333-444455556666";temp-gruu="sip:[\w-]{80}@example\.com;gr";expires=600$/,
    );
    const headers = registerResponse(jssip, [saved(jssip)], nowMs, own);
    assert.deepEqual(
      headers.filter(([name, text]) => /^(supported|require)$/i.test(name) && text.includes('gruu')),
      [],
      'the option tag is not for responses',
    );
  });

  test('§5.2: not without `Supported: gruu`, nor without an instance', () => {
    const silent = plain();
    assert.equal(saved(silent).gruuCSeq, undefined);
    assert.doesNotMatch(given(silent, [saved(silent)]).join(), /gruu/);
    assert.doesNotMatch(given(sipjs, [saved(sipjs)]).join(), /gruu/);
    assert.equal(saved(sipjs).gruuCSeq, undefined);
  });

  test('§5.2: contacts of other devices show theirs as well, a temporary one only where it was asked for', () => {
    const other = { ...saved(plain()), key: '<urn:uuid:2>;reg-id=1', contactParams: ';+sip.instance="<urn:uuid:2>"' };
    const [, second] = given(jssip, [saved(jssip), other]);
    assert.match(second ?? '', /;pub-gruu="sip:alice@example\.com;gr=urn:uuid:2";expires=/);
    const [, third] = given(jssip, [saved(jssip), { ...other, gruuCSeq: 1 }]);
    assert.match(third ?? '', /;temp-gruu="/);
  });

  test('§5.1: a client may require it, and cannot give GRUUs to itself', () => {
    const claims = plain('Require: gruu', 'Supported: gruu');
    assert.ok('change' in planRegister(claims, context));
    const forged = register(`Contact: <sip:a@192.0.2.1>;${instance};pub-gruu="sip:bob@example.com;gr=x";TEMP-GRUU="y"`);
    assert.equal(saved(forged).contactParams, `;${instance}`);
  });

  test('§5.1: a Contact that is a GRUU of the same account is refused with 403; one of another account is not', () => {
    const contact = 'sip:alice@example.com;gr=urn:uuid:1';
    const request = register(`Contact: <${contact}>`);
    const named = (aor: string) => ({ aorOfGruu: (uri: string) => (uri === contact ? aor : undefined) });
    assert.deepEqual(refusal(request, named('sip:alice@example.com')), {
      status: 403,
      code: 'contact-is-gruu',
      headers: [],
    });
    assert.equal(saved(request, named('sip:bob@example.com')).contact, contact);
  });
});
