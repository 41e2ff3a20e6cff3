import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Domains } from '../../src/engine/domains.ts';
import { parseUri } from '../../src/message/uri.ts';
import type { Listener } from '../../src/ports.ts';
import { listenerOf } from '../support/fake-proxy.ts';

const listeners: readonly Listener[] = [
  listenerOf('udp', 0, '192.0.2.100', 5060),
  listenerOf('tls', 1, '192.0.2.100', 5061),
  listenerOf('ws', 2, '192.0.2.100', 8080),
  listenerOf('udp', 3, '2001:db8::1', 5070),
  { ...listenerOf('udp', 4, '10.0.0.1', 5080), advertised: { host: 'sip.example.net', port: 5090 } },
];

function check(names: readonly string[], text: string, isOurs: boolean): void {
  assert.equal(new Domains(names, listeners).isOursText(text), isOurs, `${text} with DOMAINS="${names.join(' ')}"`);
}

const named = ['example.com', 'Sip.Example.com'];
const numeric = ['127.0.0.1', '192.0.2.100', '2001:db8::1'];

describe('RFC 3261 §10.3 step 5: the address-of-record', () => {
  const aorOf = (names: readonly string[], text: string): string => {
    const uri = parseUri(text);
    return uri === undefined ? '' : new Domains(names, listeners).aorOf(uri);
  };

  test('an address at a listener of ours is one of the first domain; others are as they are', () => {
    const cases = {
      'sip:bob@192.0.2.100:5060': 'sip:bob@example.com',
      'sip:bob@192.0.2.100': 'sip:bob@example.com',
      'sip:bob@[2001:DB8::1]:5070': 'sip:bob@example.com',
      'sip:bob@sip.example.net:5090;transport=udp': 'sip:bob@example.com',
      'sip:bob@192.0.2.100:34567': 'sip:bob@192.0.2.100',
      'sip:bob@Sip.Example.com:5060': 'sip:bob@sip.example.com',
      'sip:bob@example.org': 'sip:bob@example.org',
      'sip:bob@Example.com.': 'sip:bob@example.com',
    };
    for (const [text, aor] of Object.entries(cases)) assert.equal(aorOf(named, text), aor, text);
  });

  test('where the listening addresses are the domains, each is its own', () => {
    assert.equal(aorOf(numeric, 'sip:bob@192.0.2.100:5060'), 'sip:bob@192.0.2.100');
  });
});

describe('DESIGN §5 "Mine": domain names', () => {
  test('a domain is ours with any user, any port and any parameters', () => {
    check(named, 'sip:bob@example.com', true);
    check(named, 'sip:example.com:7000;transport=tcp', true);
    check(named, 'sips:bob@example.com:34567', true);
  });

  test('RFC 3261 §19.1.4: in any case', () => {
    check(named, 'sip:bob@EXAMPLE.com', true);
    check(named, 'sip:bob@sip.example.COM', true);
  });

  test('another domain is not, one beneath or above ours among them', () => {
    for (const host of ['example.org', 'a.example.com', 'com', 'xexample.com', 'example.com.evil.org']) {
      check(named, `sip:bob@${host}`, false);
    }
  });

  test('what is no SIP URI is not ours', () => {
    for (const text of ['tel:+4930', '', 'example.com', 'sip:', 'mailto:bob@example.com']) check(named, text, false);
  });
});

describe('DESIGN §5 "Mine": IP addresses', () => {
  test('an address of a listener is ours with a port that is listened on', () => {
    check(named, 'sip:bob@192.0.2.100:5060', true);
    check(named, 'sip:192.0.2.100:8080;transport=ws;lr', true);
    check(named, 'sip:bob@192.0.2.100:34567', false);
    check(named, 'sip:bob@192.0.2.101:5060', false);
  });

  test('RFC 3261 §19.1.2: without a port it is the default one of scheme and transport that counts', () => {
    check(named, 'sip:192.0.2.100;lr', true);
    check(named, 'sips:192.0.2.100;lr', true);
    check(named, 'sip:192.0.2.100;transport=tls', true);
    check(named, 'sip:[2001:db8::1];lr', false);
    check(named, 'sip:10.0.0.1', false);
  });

  test('a Contact on a port of its own is somebody else’s, also on an address that is a domain of ours', () => {
    check(numeric, 'sip:bob@127.0.0.1:34567', false);
    check(numeric, 'sip:bob@[2001:db8::1]:34567', false);
  });

  test('as a domain an address is ours without port and with each of ours', () => {
    check(numeric, 'sip:bob@127.0.0.1', true);
    check(numeric, 'sip:bob@127.0.0.1:5060', true);
    check(numeric, 'sip:bob@127.0.0.1:5090', true);
    check(numeric, 'sip:bob@[2001:db8::1]', true);
  });

  test('RFC 5118 §4: an IPv6 address is ours in each of its spellings', () => {
    for (const host of ['[2001:db8::1]', '[2001:DB8::1]', '[2001:db8:0:0:0:0:0:1]']) {
      check(named, `sip:bob@${host}:5070`, true);
      check(numeric, `sip:bob@${host}`, true);
    }
    check(named, 'sip:bob@[2001:db8::2]:5070', false);
  });
});

describe('DESIGN §5 "Mine": what we advertise', () => {
  test('the advertised name is ours with its port, with the bound one and without one', () => {
    check(named, 'sip:TOKEN@sip.example.net:5090;lr', true);
    check(named, 'sip:sip.example.net:5080', true);
    check(named, 'sip:SIP.example.net', true);
    check(named, 'sip:sip.example.net:7000', false);
  });

  test('the bound address behind it stays ours', () => check(named, 'sip:10.0.0.1:5080', true));
});
