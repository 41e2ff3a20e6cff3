/** What the bootstrap tells the person at the terminal: one line a step, on standard error. */

/** A reason to stop that the person can do something about; shown without a stack. */
export class Stop extends Error {}

export function say(line) {
  process.stderr.write(`viaduct: ${line}\n`);
}

/** The last lines of a tool's output, indented, for the end of an error message. */
export function lastLines(output, count = 15) {
  return output
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n');
}
