/**
 * A row of the verdicts, and what rows ask of the facts: small questions with names.
 */
import { type Facts, hostOf, isPrivate, type Leg } from './facts.ts';

export type VerdictLevel = 'error' | 'warning' | 'notice' | 'ok';

export interface VerdictRow {
  readonly number: number;
  readonly code: string;
  readonly level: VerdictLevel;
  /** In words; `undefined`: it is not so. */
  readonly says: (facts: Facts) => string | undefined;
  readonly nextStep: string | ((facts: Facts) => string);
}

export const when = (is: boolean, words: string): string | undefined => (is ? words : undefined);
export const wasRefusedBy = (facts: Facts, ...statuses: readonly number[]) =>
  facts.story.answeredAtMs === undefined && facts.story.state === 'failed' && statuses.includes(facts.story.status ?? 0)
    ? facts.finals.find(({ status }) => statuses.includes(status))
    : undefined;
export const failedAs = ({ story }: Facts, ...codes: readonly string[]): boolean =>
  story.hasFailed && story.code !== undefined && codes.includes(story.code);
export const ngFailed = ({ ngFailure, story }: Facts, ...codes: readonly string[]): boolean =>
  story.hasFailed && ngFailure?.failure !== undefined && codes.includes(ngFailure.failure.code);
export const ngWords = ({ ngFailure }: Facts): string => ngFailure?.failure?.detail ?? '';
export const node = ({ ngFailure }: Facts): string => ngFailure?.node ?? 'rtpengine';
export const talked = ({ story }: Facts): boolean => story.answeredAtMs !== undefined;
export const legs = ({ caller, answerer }: Facts): readonly Leg[] => [caller, answerer].flatMap((leg) => leg ?? []);
export const nameOf = ({ party }: Leg): string => `${party.role} ${party.name} (${party.transport} ${party.address})`;
export const silent = (leg: Leg | undefined): boolean => leg?.media?.sends === true && leg.media.packets === 0;
export const speaks = (leg: Leg | undefined): boolean => (leg?.media?.packets ?? 0) > 0;
/** Its packets, or its ICE, reach rtpengine, and the DTLS handshake is not done. */
export const hasNoKeys = (leg: Leg | undefined): boolean =>
  leg?.media?.dtls === 'waiting' && (speaks(leg) || leg.media.ice === 'done');
export const isBrowser = (leg: Leg | undefined): boolean => leg?.profile === 'webrtc';
export const silentLeg = (facts: Facts): Leg | undefined =>
  facts.talkedSeconds >= 2 ? legs(facts).find(silent) : undefined;
/** Nothing shows that its media got through to rtpengine. */
export const unconnected = (leg: Leg | undefined): boolean => isBrowser(leg) && leg?.media?.ice !== 'done';
export const relayOf = (leg: Leg | undefined): string => leg?.to?.candidates[0] ?? leg?.media?.local ?? '';
export const toBrowser = (facts: Facts, wrong: (leg: Leg) => boolean): string | undefined => {
  const leg = [facts.caller, ...facts.callees].find(
    (one) => one !== undefined && isBrowser(one) && one.to !== undefined && wrong(one),
  );
  return leg === undefined ? undefined : nameOf(leg);
};
export const lastBranch = ({ branchEnds, story }: Facts, code: string) =>
  story.hasFailed ? branchEnds.findLast((end) => end.code === code) : undefined;
export const overWebSocket = (transport: string | undefined): boolean => transport === 'ws' || transport === 'wss';
export const unreachableRelay = (leg: Leg | undefined): boolean =>
  leg?.to !== undefined &&
  isPrivate(leg.to.candidates[0] ?? leg.to.address) &&
  !isPrivate(hostOf(leg.party)) &&
  !hostOf(leg.party).startsWith('127.');
export const events = (facts: Leg | undefined): boolean =>
  facts?.from?.codecs.some((codec) => codec.startsWith('telephone-event/')) === true;
