/**
 * Bencode, the dress of the ng protocol. Ours, because the decoder of the `bencode` package is hung by one datagram with
 * a negative length and takes trailing bytes, huge lengths and `__proto__` as they come, and because its encoder, which
 * makes bytes of each string apart, took a tenth of what a call costs us.
 *
 * Text is latin1: one character is one byte, so an SDP in any character set survives both ways.
 * Left out: floats and booleans, which bencode does not have.
 */
import { Failure } from '../../errors.ts';
import type { NgCommand, NgReply, NgValue } from '../../media/commands.ts';

/** A UDP datagram holds no more. */
const maxBytes = 65_535;
/** The deepest reply of rtpengine, `query`, has nine. */
const maxDepth = 32;
/** Enough for 64-bit counters. */
const maxDigits = 20;

/** `cookie SP dictionary`, ready to be sent. */
export function encodeCommand(cookie: string, command: NgCommand): Buffer {
  return Buffer.from(`${cookie} ${writeDictionary(onTheWire(command))}`, 'latin1');
}

/** rtpengine has no command for candidates alone. */
function onTheWire(command: NgCommand): NgCommand {
  return command.command === 'trickle' ? { ...command, command: 'offer', flags: ['fragment'] } : command;
}

function write(value: NgValue): string {
  if (typeof value === 'string') return `${value.length}:${value}`;
  if (typeof value === 'number') return `i${value}e`;
  return isDictionary(value) ? writeDictionary(value) : `l${value.map(write).join('')}e`;
}

/** In the order of its keys: rtpengine reads any. */
function writeDictionary(dictionary: NgCommand | NgReply): string {
  let text = 'd';
  for (const [key, value] of Object.entries(dictionary)) text += write(key) + write(value);
  return `${text}e`;
}

/** The dictionary that `text` is, whole and nothing else; a `Failure` otherwise. */
export function decodeReply(text: string): NgReply {
  const value = decode(text);
  if (isDictionary(value)) return value;
  throw new Failure('media-garbled', 'It is not a dictionary.');
}

/** The one value that `text` is; a `Failure` when it is anything else than that. */
export function decode(text: string): NgValue {
  if (text.length > maxBytes) throw new Failure('media-garbled', `It has ${text.length} bytes.`);
  const cursor: Cursor = { text, at: 0 };
  const value = readValue(cursor, 0);
  if (cursor.at !== text.length) throw garbled(cursor, 'bytes after the end');
  return value;
}

export function isDictionary(value: NgValue | undefined): value is NgReply {
  return typeof value === 'object' && !Array.isArray(value);
}

interface Cursor {
  readonly text: string;
  at: number;
}

/** Every branch moves the cursor forward or throws, so decoding ends. */
function readValue(cursor: Cursor, depth: number): NgValue {
  if (depth > maxDepth) throw garbled(cursor, 'too deep');
  switch (cursor.text[cursor.at]) {
    case 'i':
      return readInteger(cursor);
    case 'l':
      return readList(cursor, depth);
    case 'd':
      return readDictionary(cursor, depth);
    default:
      return readString(cursor);
  }
}

function readInteger(cursor: Cursor): number {
  const end = cursor.text.indexOf('e', cursor.at);
  const digits = cursor.text.slice(cursor.at + 1, end);
  if (end < 0 || digits.length > maxDigits || !/^(0|-?[1-9][0-9]*)$/.test(digits)) throw garbled(cursor, 'bad integer');
  cursor.at = end + 1;
  return Number(digits);
}

function readString(cursor: Cursor): string {
  const colon = cursor.text.indexOf(':', cursor.at);
  const digits = cursor.text.slice(cursor.at, Math.max(colon, cursor.at));
  // A length of more than five digits is longer than any datagram; this also ends the search for far colons.
  if (digits.length > 5 || !/^(0|[1-9][0-9]*)$/.test(digits)) throw garbled(cursor, 'bad length');
  const end = colon + 1 + Number(digits);
  if (end > cursor.text.length) throw garbled(cursor, 'length beyond the end');
  cursor.at = end;
  return cursor.text.slice(colon + 1, end);
}

function readList(cursor: Cursor, depth: number): NgValue[] {
  const list: NgValue[] = [];
  cursor.at += 1;
  while (cursor.text[cursor.at] !== 'e') list.push(readValue(cursor, depth + 1));
  cursor.at += 1;
  return list;
}

/** Keys in any order, as rtpengine writes them. Of two equal keys the first stays: neither can hide the other later. */
function readDictionary(cursor: Cursor, depth: number): NgReply {
  const dictionary: Record<string, NgValue> = Object.create(null);
  cursor.at += 1;
  while (cursor.text[cursor.at] !== 'e') {
    const key = readString(cursor);
    const value = readValue(cursor, depth + 1);
    if (!(key in dictionary)) dictionary[key] = value;
  }
  cursor.at += 1;
  return dictionary;
}

function garbled(cursor: Cursor, what: string): Failure {
  return new Failure('media-garbled', `It has ${what} at byte ${cursor.at}.`);
}
