/** The command was not understood; its message says why, for the person who typed it. */
export class UsageError extends Error {}
