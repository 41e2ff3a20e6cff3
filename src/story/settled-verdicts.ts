/**
 * Verdicts on a call with which nothing is wrong: only asked when no error was found.
 *
 * Data and predicates, as in media-verdicts.ts.
 */
import { speaks, talked, type VerdictRow, when } from './verdict-row.ts';

export const settledVerdicts: readonly VerdictRow[] = [
  {
    number: 50,
    code: 'ringing',
    level: 'ok',
    says: (f) =>
      when(
        f.story.state === 'ringing',
        f.rang ? 'It rings, and nobody has picked up yet.' : 'The INVITE is on its way; nothing rings yet.',
      ),
    nextStep: 'Wait, or follow it: npx viaduct ladder --follow.',
  },
  {
    number: 51,
    code: 'cancelled',
    level: 'ok',
    says: (f) =>
      when(
        !talked(f) && f.story.cancelled,
        `The caller gave up after ${Math.round(((f.story.endedAtMs ?? f.nowMs) - f.story.startedAtMs) / 1000)} s${f.rang ? ' of ringing' : ', before anything rang'}.`,
      ),
    nextStep: 'Nothing is broken.',
  },
  {
    number: 52,
    code: 'heard-both-ways',
    level: 'ok',
    says: (f) =>
      when(
        talked(f) && speaks(f.caller) && speaks(f.answerer),
        `Both sides were heard${f.story.isLive ? '' : ` for ${f.talkedSeconds} s; the ${f.story.endedBy ?? 'caller'} hung up`}.`,
      ),
    nextStep: 'Nothing is broken.',
  },
  {
    number: 53,
    code: 'talked',
    level: 'ok',
    says: (f) =>
      when(
        talked(f),
        `The call was answered${f.story.isLive ? ' and goes on' : ` and lasted ${f.talkedSeconds} s; the ${f.story.endedBy ?? 'caller'} hung up`}. What rtpengine saw of its media is not known.`,
      ),
    nextStep: 'Ask again while the call is up to see its packets.',
  },
  {
    number: 54,
    code: 'unknown',
    level: 'notice',
    says: (f) => when(!f.story.isLive, `The call ended with ${f.story.status ?? 'no final response'}.`),
    nextStep: 'The ladder shows what passed.',
  },
];
