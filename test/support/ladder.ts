/**
 * Draws what passed on the virtual network as text, one message a line, numbered as in RFC 3665:
 *
 *     F1 alice ─INVITE▶ proxy
 *     F2 alice ◀100─ proxy
 *     F3 proxy ─INVITE▶ bob
 *     F4 proxy ◀200 BYE─ bob
 *
 * A message is drawn when it is sent, ✗ in place of the arrow's head when it is lost. A response names its method unless
 * that is INVITE. Who stands first in `columns` stands left.
 */
import assert from 'node:assert/strict';
import { get } from '../../src/message/header.ts';
import { CSeq } from '../../src/message/headers/cseq.ts';
import { parseMessage } from '../../src/message/scan.ts';
import type { Passage, VirtualNetwork } from './network.ts';

export interface Ladder {
  readonly passages: readonly Passage[];
  /** All lines. */
  text(): string;
  /** From now on the drawing starts anew with F1. */
  clear(): void;
  /** Asserts the whole drawing; blank lines and indentation of `lines` do not count. */
  expect(lines: string): void;
}

export function createLadder(network: Pick<VirtualNetwork, 'watch'>, columns: readonly string[]): Ladder {
  const passages: Passage[] = [];
  network.watch((passage) => passages.push(passage));
  const text = (): string => passages.map((passage, index) => `F${index + 1} ${draw(passage, columns)}`).join('\n');
  return {
    passages,
    text,
    clear: () => passages.splice(0),
    expect: (lines) => assert.equal(text(), trimmed(lines)),
  };
}

/** `INVITE`, `180`, `200 BYE`; `?` for what is no SIP. */
export function labelOf(text: string): string {
  const message = parseMessage(text);
  if (message.kind === 'unparsable') return '?';
  if (message.kind === 'request') return message.method;
  const method = get(message, CSeq)?.method ?? 'INVITE';
  return method === 'INVITE' ? `${message.status}` : `${message.status} ${method}`;
}

function draw({ from, to, text, lost }: Passage, columns: readonly string[]): string {
  const label = labelOf(text);
  return position(columns, from) <= position(columns, to)
    ? `${from} ─${label}${lost ? '✗' : '▶'} ${to}`
    : `${to} ${lost ? '✗' : '◀'}${label}─ ${from}`;
}

function position(columns: readonly string[], name: string): number {
  const at = columns.indexOf(name);
  return at < 0 ? columns.length : at;
}

function trimmed(lines: string): string {
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}
