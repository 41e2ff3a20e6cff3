/**
 * The pieces of RFC 3261 §25.1 that more than one parser needs. Left out: everything that only one of them reads.
 */

/** token: methods, option tags, header names, schemes of authentication. As source text, to be put into a pattern. */
export const TOKEN = "[A-Za-z0-9\\-.!%*_+`'~]+";

const tokenSyntax = new RegExp(`^${TOKEN}$`);
const absoluteUri = /^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"\x7f]+$/;

export const isToken = (text: string): boolean => tokenSyntax.test(text);

/** A scheme and what follows it, without blanks, brackets, quotes and control characters; of any scheme. */
export const isUri = (text: string): boolean => absoluteUri.test(text);
