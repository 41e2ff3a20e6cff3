/** CSeq (RFC 3261 §20.16). The number must be less than 2^31 (§8.1.1.5); the method is case-sensitive. */
import { TOKEN } from '../grammar.ts';
import { defineHeader, type Header } from '../header.ts';

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

const syntax = new RegExp(`^([0-9]{1,16})[ \\t]+(${TOKEN})$`);

function parseCSeq(text: string): CSeq | undefined {
  const match = syntax.exec(text);
  const [, digits, method] = match ?? [];
  if (digits === undefined || method === undefined) return undefined;
  const number = Number(digits);
  return number < 2 ** 31 ? { number, method } : undefined;
}

export const CSeq: Header<CSeq> = defineHeader({
  name: 'CSeq',
  list: false,
  parse: parseCSeq,
  print: (value) => `${value.number} ${value.method}`,
});
