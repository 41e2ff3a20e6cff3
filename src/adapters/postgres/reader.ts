/**
 * Grouped reads: what is asked within one turn of the event loop goes to PostgreSQL as one statement (DESIGN §5). Built
 * on the grouped writer; equal questions share a group, since reading a row twice harms nobody.
 */
import type { Clock } from '../../ports.ts';
import { companyMsOf, createGroupedWriter, type GroupedWriter } from './writer.ts';

const MAX_GROUP = 500;
const MAX_WAITING = 20_000;
const MAX_IN_FLIGHT = 4;

export interface GroupedReader<Question, Result> extends GroupedWriter<Question, Result> {
  /** As `add`, for who has the time of a write: waits for company as that does. */
  addPatiently(question: Question): Promise<Result>;
}

export interface Patience {
  readonly groupMs: number;
  readonly clock: Clock;
}

/** `read` gives one result per question, in the same order. Without `patience` nobody has any. */
export function createGroupedReader<Question, Result>(
  read: (questions: readonly Question[]) => Promise<readonly Result[]>,
  patience?: Patience,
): GroupedReader<Question, Result> {
  let asked = 0;
  const groupMs = patience?.groupMs ?? 0;
  const reader = createGroupedWriter<Question, Result>({
    groupMs,
    companyMs: companyMsOf(groupMs),
    maxGroup: MAX_GROUP,
    maxWaiting: MAX_WAITING,
    maxInFlight: MAX_IN_FLIGHT,
    after: (delayMs, action) =>
      delayMs === 0 || patience === undefined ? endOfTurn(action) : patience.clock.after(delayMs, action),
    key: () => String(asked++),
    write: read,
  });
  return {
    ...reader,
    add: (question, patienceMs = 0) => reader.add(question, patienceMs),
    addPatiently: (question) => reader.add(question),
  };
}

function endOfTurn(action: () => void): () => void {
  const immediate = setImmediate(action);
  return () => clearImmediate(immediate);
}
