import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFramer, type Framed } from '../../src/message/framing.ts';
import { inviteText } from './sample.ts';

const one = inviteText({ extra: ['Content-Length: 8'], body: 'a\r\n\r\nb\r\n' });
const two = inviteText({ extra: ['l :\r\n 0'] });
const three = inviteText({ extra: ['CONTENT-LENGTH: 2', 'X: y'], body: '\0\xff' });

function frame(...chunks: readonly string[]): readonly Framed[] {
  const framer = createFramer({ maxBytes: 65536 });
  return chunks.flatMap((chunk) => framer.push(chunk));
}

const messages = (framed: readonly Framed[]) => framed.flatMap((each) => (each.kind === 'message' ? [each.text] : []));
const kinds = (framed: readonly Framed[]) => framed.map((each) => each.kind);

test('RFC 3261 §18.3: messages in one chunk are parted by Content-Length, whatever their bodies hold', () => {
  assert.deepEqual(messages(frame(one + two + three)), [one, two, three]);
});

test('RFC 3261 §18.3: a stream split at any byte gives the same messages', () => {
  const stream = one + two + three;
  for (let at = 1; at < stream.length; at++) {
    assert.deepEqual(messages(frame(stream.slice(0, at), stream.slice(at))), [one, two, three], `split at ${at}`);
  }
});

test('RFC 3261 §18.3: one byte at a time', () => {
  assert.deepEqual(messages(frame(...(one + two + three))), [one, two, three]);
});

test('RFC 3261 §18.3: any chunks, with keep-alives between the messages', () => {
  const pieces = fc.array(fc.constantFrom(one, two, three, '\r\n', '\r\n\r\n'), { maxLength: 8 });
  fc.assert(
    fc.property(pieces, fc.infiniteStream(fc.integer({ min: 1, max: 200 })), (parts, sizes) => {
      const stream = parts.join('');
      const framer = createFramer({ maxBytes: 65536 });
      const framed: Framed[] = [];
      for (let at = 0; at < stream.length; ) {
        const size = sizes.next().value ?? 1;
        framed.push(...framer.push(stream.slice(at, at + size)));
        at += size;
      }
      assert.deepEqual(
        messages(framed),
        parts.filter((part) => part.length > 4),
      );
      assert.ok(!kinds(framed).includes('broken'));
    }),
  );
});

test('RFC 5626 §3.5.1: CRLFCRLF is a ping, a single CRLF a pong', () => {
  assert.deepEqual(kinds(frame('\r\n\r\n')), ['ping']);
  assert.deepEqual(kinds(frame('\r\n')), ['pong']);
  assert.deepEqual(kinds(frame('\r\n\r\n', two, '\r\n\r\n', '\r\n\r\n')), ['ping', 'message', 'ping', 'ping']);
  assert.deepEqual(kinds(frame('\r', '\n')), ['pong']);
});

test('RFC 5626 §3.5.1: a ping in two chunks is a ping; cut in its middle its first half was a pong', () => {
  assert.deepEqual(kinds(frame('\r', '\n\r\n')), ['ping']);
  assert.deepEqual(kinds(frame('\r\n\r', '\n')).at(-1), 'ping');
  assert.deepEqual(kinds(frame('\r\n', '\r\n')), ['pong', 'ping']);
  assert.deepEqual(kinds(frame('\r\n', two, '\r\n')), ['pong', 'message', 'pong']);
});

test('a flood of keep-alives in one chunk asks for one answer', () => {
  assert.deepEqual(kinds(frame('\r\n'.repeat(10000))), ['ping']);
});

test('RFC 3261 §7.5: bare line ends between messages are skipped', () => {
  assert.deepEqual(kinds(frame(`\n\n${two}\n\r\r${two}`)), ['message', 'message']);
});

test('RFC 3261 §18.3: without a Content-Length there is no body', () => {
  assert.deepEqual(messages(frame(inviteText() + two)), [inviteText(), two]);
});

test('bare LFs end the lines of a head too', () => {
  const bare = inviteText({ extra: ['Content-Length: 3'], body: 'abc' }).replaceAll('\r\n', '\n');
  assert.deepEqual(messages(frame(bare + two)), [bare, two]);
});

test('RFC 3261 §18.3: a Content-Length that is no number, or two that differ, break the stream', () => {
  for (const lines of [
    ['Content-Length: -1'],
    ['l: x'],
    ['l: '],
    ['l: 1,1'],
    ['l: 99999999999999999'],
    ['l: 1', 'Content-Length: 2'],
  ]) {
    assert.deepEqual(kinds(frame(inviteText({ extra: lines }), two)), ['broken'], lines.join());
  }
  assert.deepEqual(kinds(frame(inviteText({ extra: ['l: 0', 'Content-Length: 0'] }))), ['message']);
});

test('a Content-Length in a folded line of another header, or in the body, is none', () => {
  const text = inviteText({
    extra: ['Subject: x\r\n Content-Length: 9', 'Content-Length: 20'],
    body: '\r\nContent-Length: 77',
  });
  assert.deepEqual(messages(frame(text)), [text]);
});

test('bytes that begin no message break the stream at once', () => {
  assert.deepEqual(kinds(frame('\x16\x03\x01\x02\x00')), ['broken']);
  assert.deepEqual(kinds(frame(`${two}\0`, two)), ['message', 'broken']);
});

test('DESIGN law 9: a head or a message larger than the limit breaks the stream before it is kept', () => {
  const limit = (...chunks: readonly string[]) => {
    const framer = createFramer({ maxBytes: 1000 });
    return kinds(chunks.flatMap((chunk) => framer.push(chunk)));
  };
  assert.deepEqual(limit('INVITE sip:', 'x'.repeat(1000)), ['broken']);
  assert.deepEqual(limit(inviteText({ extra: ['l: 1000'] })), ['broken']);
  assert.deepEqual(limit(inviteText({ extra: [`X: ${'x'.repeat(1000)}`] })), ['broken']);
  const body = 'x'.repeat(1000 - inviteText({ extra: ['l: 100'] }).length);
  assert.deepEqual(limit(inviteText({ extra: [`l: ${String(body.length).padStart(3, '0')}`], body })), ['message']);
});

test('a 64 KiB message that comes byte by byte is joined once', () => {
  const head = inviteText({ extra: [`X: ${'x'.repeat(30000)}`, 'Content-Length: 30000'] });
  const text = head + 'y'.repeat(30000);
  assert.deepEqual(messages(frame(...text)), [text]);
});
