/** What REST answers, by the schemas that the server checks its answers against: one definition for both sides. */
import type { Static } from 'typebox';
import type {
  CallsBody,
  ExplanationBody,
  HappeningBody,
  HealthBody,
  LadderBody,
  RegistrationsBody,
  StatisticsBody,
} from '../../routes/http/schemas.ts';

export type Health = Static<typeof HealthBody>;
export type Statistics = Static<typeof StatisticsBody>;
export type MediaNode = Statistics['rtpengine'][number];
export type Registration = Static<typeof RegistrationsBody>['items'][number];
export type Call = Static<typeof CallsBody>['items'][number];
export type MediaKind = Call['callerMedia'];
export type Ladder = Static<typeof LadderBody>;
export type LadderStep = Ladder['steps'][number];
export type LadderParty = Ladder['parties'][number];
export type Explanation = Static<typeof ExplanationBody>;
export type Verdict = Explanation['verdicts'][number];
export type Leg = Explanation['legs'][number];
export type Exchange = Explanation['exchanges'][number];
export type Happening = Static<typeof HappeningBody>;

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}
