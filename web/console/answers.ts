/** What REST answers, by the schemas that the server checks its answers against: one definition for both sides. */
import type { Static } from 'typebox';
import type { PublicationsBody, SubscriptionsBody } from '../../routes/http/presence-schemas.ts';
import type {
  CallsBody,
  DoctorBody,
  ExplanationBody,
  HappeningBody,
  HealthBody,
  LadderBody,
  RefusalsBody,
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

export type RefusedSource = Static<typeof RefusalsBody>['items'][number];
export type Diagnosis = Static<typeof DoctorBody>;
export type Publication = Static<typeof PublicationsBody>['items'][number];
export type Subscription = Static<typeof SubscriptionsBody>['items'][number];

export interface Subscriber {
  readonly address: string;
  readonly disabled: boolean;
  readonly createdAt: string;
  /** When the password was last set. */
  readonly updatedAt: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
  /** `false`: the database is down, and these are only those in memory. */
  readonly complete?: boolean;
}
