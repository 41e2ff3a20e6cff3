/**
 * Grouped reads: what is asked within one turn of the event loop goes to PostgreSQL as one statement (DESIGN §5). Built
 * on the grouped writer; equal questions share a group, since reading a row twice harms nobody.
 */
import { createGroupedWriter, type GroupedWriter } from './writer.ts';

const MAX_GROUP = 500;
const MAX_WAITING = 20_000;
const MAX_IN_FLIGHT = 4;

/** `read` gives one result per question, in the same order. */
export function createGroupedReader<Question, Result>(
  read: (questions: readonly Question[]) => Promise<readonly Result[]>,
): GroupedWriter<Question, Result> {
  let asked = 0;
  return createGroupedWriter<Question, Result>({
    groupMs: 0,
    maxGroup: MAX_GROUP,
    maxWaiting: MAX_WAITING,
    maxInFlight: MAX_IN_FLIGHT,
    after: endOfTurn,
    key: () => String(asked++),
    write: read,
  });
}

function endOfTurn(_delayMs: number, action: () => void): () => void {
  const immediate = setImmediate(action);
  return () => clearImmediate(immediate);
}
