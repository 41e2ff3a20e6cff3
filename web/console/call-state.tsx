/** The state of a call in a word with its colour, and why it failed. */
import { reasonPhrase } from '../../src/message/reasons.ts';
import type { Call } from './answers.ts';
import { type Mood, Status } from './parts.tsx';

const words: Readonly<Record<Call['state'], readonly [Mood, string]>> = {
  ringing: ['busy', 'ringing'],
  answered: ['good', 'talking'],
  ended: ['quiet', 'ended'],
  failed: ['bad', 'failed'],
};

export function CallState({ call: { state, status, reason, answeredAt, node } }: { readonly call: Call }) {
  const [mood, word] = words[state];
  return (
    <span class="two">
      <Status mood={mood}>{word}</Status>
      {state === 'failed' && <small>{whyFailed(status, reason)}</small>}
      {node !== null && <small>at node {node}</small>}
      {state === 'ended' && answeredAt === null && <small>not answered</small>}
    </span>
  );
}

/** The 200 of a call that was answered, and lost then, explains nothing. */
function whyFailed(status: number | null, reason: string | null): string | null {
  return status === null || status < 300 ? reason : `${status}: ${reason ?? reasonPhrase(status)}`;
}
