/**
 * Which session descriptions went through Viaduct, each as it came and as it left: the first message out that carries
 * one belongs to the last of its kind that came in from another party (an INVITE to an INVITE, a 200 to a 200).
 */
import type { LadderStep } from './answers.ts';

export interface SdpChange {
  readonly came: LadderStep;
  readonly left: LadderStep;
  readonly before: string;
  readonly after: string;
}

export function sdpChanges(steps: readonly LadderStep[]): readonly SdpChange[] {
  return steps.flatMap((left, index) => {
    const after = sdpOf(left);
    if (left.incoming || after === undefined) return [];
    const came = steps
      .slice(0, index)
      .findLast(
        (step) =>
          step.incoming && step.party !== left.party && kindOf(step) === kindOf(left) && sdpOf(step) !== undefined,
      );
    const before = came === undefined ? undefined : sdpOf(came);
    return came === undefined || before === undefined ? [] : [{ came, left, before, after }];
  });
}

/** The method of a request, the status of a response. */
function kindOf({ text }: LadderStep): string {
  const [first = '', second = ''] = (text ?? '').split(' ', 2);
  return first.startsWith('SIP/') ? second : first;
}

export function sdpOf({ text }: LadderStep): string | undefined {
  const body = text?.split(/\r?\n\r?\n/).find((part) => part.startsWith('v=0'));
  return body === undefined ? undefined : body.replace(/\s+$/, '');
}
