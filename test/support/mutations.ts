/** Messages with something wrong about them, by seed: what a network, a bug or an attacker makes of good ones. */
import type { SeededRandom } from './random.ts';

type Mutation = (text: string, random: SeededRandom) => string;

/** At one place: other bytes, bytes more, bytes less. */
const garble: Mutation = (text, random) => {
  const at = random.integer(0, text.length);
  return text.slice(0, at) + bytes(random, 4) + text.slice(at + random.integer(0, 40));
};

const truncate: Mutation = (text, random) => text.slice(0, random.integer(0, text.length));

const repeatLine: Mutation = (text, random) => {
  const lines = text.split('\r\n');
  const at = random.integer(0, lines.length - 1);
  return lines.toSpliced(at, 0, ...Array.from({ length: random.integer(1, 30) }, () => lines[at] ?? '')).join('\r\n');
};

const dropLine: Mutation = (text, random) => {
  const lines = text.split('\r\n');
  return lines.toSpliced(random.integer(0, lines.length - 1), 1).join('\r\n');
};

const swapLines: Mutation = (text, random) => {
  const lines = text.split('\r\n');
  const [one, other] = [random.integer(0, lines.length - 1), random.integer(0, lines.length - 1)];
  return lines
    .with(one, lines[other] ?? '')
    .with(other, lines[one] ?? '')
    .join('\r\n');
};

const strangeNumber: Mutation = (text, random) => {
  const numbers = ['-1', '0', '4294967296', '99999999999999999999', '1e9', '0x10', ''];
  const found = [...text.matchAll(/\d+/g)];
  const chosen = found[random.integer(0, found.length - 1)];
  if (chosen === undefined) return text;
  const number = numbers[random.integer(0, numbers.length - 1)] ?? '';
  return text.slice(0, chosen.index) + number + text.slice(chosen.index + chosen[0].length);
};

/** The characters that open, close, divide and escape. */
const strangePunctuation: Mutation = (text, random) => {
  const signs = [
    '<',
    '>',
    '"',
    '\\',
    ',',
    ';',
    '=',
    '%',
    '%0',
    '%00',
    '@',
    ':',
    '[',
    ']',
    '\t',
    '\r',
    '\n',
    '\r\n ',
    '\0',
  ];
  const at = random.integer(0, text.length);
  const sign = signs[random.integer(0, signs.length - 1)] ?? '';
  return text.slice(0, at) + sign.repeat(random.integer(1, 3)) + text.slice(at);
};

const stretch: Mutation = (text, random) => {
  const at = random.integer(0, text.length);
  return text.slice(0, at) + bytes(random, 1).repeat(random.integer(1, 3_000)) + text.slice(at);
};

const mutations = [garble, truncate, repeatLine, dropLine, swapLines, strangeNumber, strangePunctuation, stretch];

/** One to three things wrong. */
export function mutated(text: string, random: SeededRandom): string {
  let result = text;
  for (let left = random.integer(1, 3); left > 0; left -= 1) {
    result = mutations[random.integer(0, mutations.length - 1)]?.(result, random) ?? result;
  }
  return result;
}

function bytes(random: SeededRandom, most: number): string {
  return Array.from({ length: random.integer(0, most) }, () => String.fromCharCode(random.integer(0, 255))).join('');
}
