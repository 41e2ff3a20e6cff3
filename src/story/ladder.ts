/**
 * The ladder of a call as text, 100 columns wide at most: one lifeline a party, one message a line, numbered as in RFC
 * 3665, and what Viaduct did in between.
 *
 *     F1   +0.000  ├─ INVITE (sdp: webrtc) ──▶│
 *     F2   +0.001  │◀───────────── 100 Trying ┤
 *          +0.003  │                          ● rtpengine m1: offer RTP/AVP, ok in 2 ms
 *
 * Left out: colours (the command line knows whether it has a terminal).
 */
import type { Party } from './passages.ts';
import type { Step, Tone } from './steps.ts';

export interface LadderLine {
  readonly text: string;
  readonly tone: Tone;
}

const width = 100;
/** `F12  +12.345  ` */
const margin = 15;
const widestGap = 33;
const narrowestGap = 16;

export function drawLadder(
  steps: readonly Step[],
  parties: readonly Party[],
  startedAtMs: number,
): readonly LadderLine[] {
  const columns = columnsOf(parties);
  const lines = steps.map((step) => ({ text: drawStep(step, columns, startedAtMs), tone: step.tone }));
  return [...heads(columns), ...lines];
}

interface Columns {
  /** Caller, Viaduct, callees; `undefined` is Viaduct. */
  readonly order: readonly (Party | undefined)[];
  readonly at: readonly number[];
  readonly viaduct: number;
}

function columnsOf(parties: readonly Party[]): Columns {
  const callers = parties.filter(({ role }) => role === 'caller');
  const order = [...callers, undefined, ...parties.filter(({ role }) => role === 'callee')];
  const room = Math.floor((width - margin - 14) / Math.max(1, order.length - 1));
  const gap = Math.min(widestGap, Math.max(narrowestGap, room));
  const at = order.map((_, index) => margin + index * gap);
  return { order, at, viaduct: margin + order.indexOf(undefined) * gap };
}

function heads({ order, at }: Columns): readonly LadderLine[] {
  const names = order.map((party) => party?.name ?? 'Viaduct');
  const places = order.map((party) => (party === undefined ? '' : `${party.transport} ${party.address}`));
  return [names, places].map((row) => ({ text: placed(row, at), tone: 'plain' as const }));
}

/** Each text at its column, cut before the next one. */
function placed(texts: readonly string[], at: readonly number[]): string {
  const line = new Row();
  texts.forEach((text, index) => {
    const next = at[index + 1];
    // The last one moves to the left rather than lose its end.
    const from = Math.min(at[index] ?? 0, next === undefined ? width - Array.from(text).length : width);
    line.write(from, cut(text, (next ?? width + 1) - from - 1));
  });
  return line.text();
}

function drawStep(step: Step, columns: Columns, startedAtMs: number): string {
  const row = new Row();
  const number = step.number === undefined ? '' : `F${step.number}`;
  row.write(0, `${number.padEnd(4)} ${seconds(step.atMs - startedAtMs)}`);
  for (const at of columns.at) row.write(at, '│');
  const peer = columns.order.indexOf(step.party);
  if (step.party === undefined || peer < 0) {
    row.write(columns.viaduct, `● ${cut(`${step.label}${timesOf(step)}`, width - columns.viaduct - 2)}`);
  } else drawArrow(row, step, columns.at[peer] ?? margin, columns.viaduct);
  return row.text();
}

/** Between the lifelines of the peer and of Viaduct; the label stands at the tail. */
function drawArrow(row: Row, step: Step, peer: number, viaduct: number): void {
  const [from, to] = step.incoming ? [peer, viaduct] : [viaduct, peer];
  const times = timesOf(step);
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const label = ` ${cut(step.label, right - left - 6 - times.length)}${times} `;
  const room = right - left - 1;
  if (from < to) {
    row.write(left, `├─${label}${'─'.repeat(Math.max(0, room - label.length - 2))}▶│`);
  } else {
    row.write(left, `│◀${'─'.repeat(Math.max(0, room - label.length - 2))}${label}─┤`);
  }
}

const timesOf = ({ times }: Step): string => (times > 1 ? ` ×${times}` : '');

function seconds(ms: number): string {
  return `+${(ms / 1000).toFixed(3)}`.padStart(8);
}

function cut(text: string, room: number): string {
  const characters = Array.from(text.replace(/[\r\n\t]+/g, ' '));
  return characters.length <= room ? characters.join('') : `${characters.slice(0, Math.max(0, room - 1)).join('')}…`;
}

/** A line that is written at places; what is written later stands over what was there. */
class Row {
  readonly #characters: string[] = [];

  write(at: number, text: string): void {
    while (this.#characters.length < at) this.#characters.push(' ');
    Array.from(text).forEach((character, index) => {
      this.#characters[at + index] = character;
    });
  }

  text(): string {
    return this.#characters.join('').replace(/ +$/, '');
  }
}
