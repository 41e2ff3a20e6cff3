/** SIP text (latin1, one character a byte) as people read it: UTF-8 where it is UTF-8, else as it is. */

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function readable(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  try {
    return utf8.decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  } catch {
    return text;
  }
}
