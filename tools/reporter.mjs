/**
 * The test output: a line a file, each failure with its place and its error, and node's own summary last, so that the
 * end of a log tells how it went.
 */
import { relative } from 'node:path';
import { inspect } from 'node:util';

export default async function* report(events) {
  const failed = [];
  const summary = [];
  for await (const { type, data } of events) {
    if (type === 'test:fail' && !isEcho(data)) {
      failed.push(titleOf(data));
      yield `\n✖ ${titleOf(data)}\n${errorOf(data)}\n\n`;
    } else if (type === 'test:summary' && data.file !== undefined) yield fileLine(data);
    else if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    else if (type === 'test:diagnostic' && data.file === undefined) summary.push(`# ${data.message}\n`);
  }
  if (failed.length > 0) yield `\nfailed:\n${failed.map((title) => `  ✖ ${title}\n`).join('')}`;
  yield '\n';
  yield* summary;
}

/** A suite, or a file, that failed because of what is in it: that was reported where it happened. */
function isEcho(data) {
  return data.details.error?.failureType === 'subtestsFailed';
}

function titleOf({ name, file, line }) {
  return file === undefined ? name : `${name} (${place(file)}:${line})`;
}

function errorOf({ details }) {
  const error = details.error?.cause ?? details.error;
  const text = inspect(error, { depth: 5 }).replace(/^ +at .*node:internal.*\n/gm, '');
  return text.replace(/^/gm, '    ');
}

function fileLine({ file, counts, duration_ms: ms, success }) {
  const seconds = (ms / 1000).toFixed(1);
  return `${success ? '✔' : '✖'} ${place(file)}: ${counts.passed} of ${counts.tests} passed, ${seconds} s\n`;
}

function place(file) {
  return relative(process.cwd(), file);
}
