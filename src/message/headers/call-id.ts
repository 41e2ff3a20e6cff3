/** Call-ID (RFC 3261 §20.8): compared byte by byte; any text without blanks is taken. */
import { defineHeader, type Header } from '../header.ts';

export const CallId: Header<string> = defineHeader({
  name: 'Call-ID',
  list: false,
  parse: (value) => (/^[^\x00-\x20\x7f]+$/.test(value) ? value : undefined),
  print: (value) => value,
});
