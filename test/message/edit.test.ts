import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  append,
  prepend,
  removeAll,
  removeFirst,
  replaceAll,
  replaceFirst,
  serialize,
  setHeader,
  withBody,
  withContentLength,
} from '../../src/message/edit.ts';
import { all, get } from '../../src/message/header.ts';
import { From } from '../../src/message/headers/from-to.ts';
import { MaxForwards } from '../../src/message/headers/numbers.ts';
import { RecordRoute, Route } from '../../src/message/headers/route.ts';
import { Subject } from '../../src/message/headers/text.ts';
import { Via } from '../../src/message/headers/via.ts';
import { inviteText, parse, raws, request } from './sample.ts';

const route = (uri: string) => ({ display: undefined, uri, params: [] });
const routed = () => request(inviteText({ extra: ['Route: <sip:a;lr> , <sip:b;lr>', 'X: 1', 'route:<sip:c;lr>'] }));
const routes = (message: ReturnType<typeof routed>) => raws(message).filter((raw) => /^route/i.test(raw));

test('RFC 3261 §16.4: removing the first value takes it out of its comma list', () => {
  const once = removeFirst(routed(), Route);
  assert.deepEqual(routes(once), ['Route: <sip:b;lr>', 'route:<sip:c;lr>']);
  const twice = removeFirst(once, Route);
  assert.deepEqual(routes(twice), ['route:<sip:c;lr>']);
  const none = removeFirst(twice, Route);
  assert.deepEqual(routes(none), []);
  assert.equal(removeFirst(none, Route), none);
});

test('RFC 3261 §18.2.1: replacing the first value leaves the others of its line', () => {
  const message = request(inviteText({ lines: { via: 'v: SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b;branch=2' } }));
  const top = get(message, Via);
  assert.ok(top !== undefined);
  const sent = replaceFirst(message, Via, { ...top, params: [...top.params, ['received', '192.0.2.9']] });
  assert.equal(raws(sent)[0], 'Via: SIP/2.0/UDP a;branch=1;received=192.0.2.9, SIP/2.0/TCP b;branch=2');
  assert.equal(replaceFirst(message, Route, route('sip:a')), message);
});

test('RFC 3261 §16.6 step 4: a first Record-Route stands behind the Vias, the next one before it', () => {
  const once = prepend(request(), RecordRoute, route('sip:p1;lr'));
  assert.equal(raws(once)[1], 'Record-Route: <sip:p1;lr>');
  const twice = prepend(once, RecordRoute, route('sip:p2;lr'));
  assert.deepEqual(raws(twice).slice(1, 3), ['Record-Route: <sip:p2;lr>', 'Record-Route: <sip:p1;lr>']);
});

test('replaceAll puts a line for each value where the first one stood', () => {
  const sent = replaceAll(routed(), Route, [route('sip:x'), route('sip:y')]);
  assert.deepEqual(raws(sent).slice(-3), ['Route: <sip:x>', 'Route: <sip:y>', 'X: 1']);
  assert.deepEqual(all(replaceAll(sent, Route, []), Route), []);
});

test('append comes behind the last value, setHeader in place of all, both last where there was none', () => {
  assert.deepEqual(raws(append(routed(), Route, route('sip:z'))).at(-1), 'Route: <sip:z>');
  assert.deepEqual(raws(setHeader(routed(), Route, route('sip:z'))).slice(-2), ['Route: <sip:z>', 'X: 1']);
  assert.equal(raws(append(request(), Subject, 'x')).at(-1), 'Subject: x');
  assert.equal(raws(setHeader(request(), Subject, 'x')).at(-1), 'Subject: x');
  assert.equal(raws(removeAll(routed(), Route)).at(-1), 'X: 1');
});

test('no edit changes the message it is given', () => {
  const message = routed();
  const before = serialize(message);
  setHeader(removeAll(removeFirst(prepend(message, Route, route('sip:q')), Route), Route), MaxForwards, 3);
  assert.equal(serialize(message), before);
});

test('a value can never begin a header or a body of its own', () => {
  const sent = setHeader(request(), Subject, 'x\r\nVia: evil\r\n\r\nbody\0');
  assert.equal(raws(sent).at(-1), 'Subject: x Via: evil body ');
  assert.equal(all(parse(serialize(sent)), Via).length, 1);
  const named = setHeader(request(), From, { display: 'a\r\nb', uri: 'sip:a@b', params: [] });
  assert.equal(get(named, From)?.display, 'a  b');
});

test('RFC 3261 §20.14: another body brings its Content-Length, counted in bytes', () => {
  const body = Buffer.from('é', 'utf8').toString('latin1');
  const sent = withBody(request(inviteText({ extra: ['l: 3'], body: 'abc' })), body);
  assert.equal(raws(sent).at(-1), 'Content-Length: 2');
  assert.ok(serialize(sent).endsWith(`\r\n\r\n${body}`));
  assert.equal(parse(serialize(sent)).body, body);
});

test('RFC 3261 §18.3: a message without Content-Length gets one for a stream; one that has it stays as it is', () => {
  const without = request(inviteText({ body: 'abc' }));
  assert.equal(raws(withContentLength(without)).at(-1), 'Content-Length: 3');
  const withIt = request(inviteText({ extra: ['l: 3'], body: 'abc' }));
  assert.equal(withContentLength(withIt), withIt);
});
