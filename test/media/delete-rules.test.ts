import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createMediaSession,
  deleteCommand,
  type MediaDelete,
  type MediaEvent,
  stepMediaSession,
} from '../../src/media/delete-rules.ts';

const sent = (branch: string): MediaEvent => ({ on: 'offer-sent', branch });
const ok = (branch: string): MediaEvent => ({ on: 'offer-ok', branch });
const no = (branch: string): MediaEvent => ({ on: 'offer-refused', branch });
const late = (branch: string): MediaEvent => ({ on: 'late-offer', branch });
const answered = (branch: string): MediaEvent => ({ on: 'answered', branch });
const over = (branch: string): MediaEvent => ({ on: 'branch-ended', branch });
const bye = (branch: string): MediaEvent => ({ on: 'dialog-ended', branch });
const end: MediaEvent = { on: 'call-ended' };

const branch = (name: string): MediaDelete => ({ delete: 'branch', branch: name });
const call: MediaDelete = { delete: 'call' };

const cases: readonly (readonly [rule: string, events: readonly MediaEvent[], deletes: readonly MediaDelete[]])[] = [
  ['a branch that ended while another lives is deleted', [ok('a'), ok('b'), over('a')], [branch('a')]],
  ['a branch that was refused is not deleted: it would destroy the call', [no('a'), ok('b'), over('a')], []],
  ['a branch that nobody knows is not deleted', [ok('b'), over('x')], []],
  ['a branch whose offer is unanswered is not deleted', [sent('a'), ok('b'), over('a')], []],
  ['a branch is deleted once', [ok('a'), ok('b'), ok('c'), over('a'), over('a')], [branch('a')]],
  ['the last branch is not deleted: the end of the call does it', [ok('a'), over('a')], []],
  ['nor is the one that ends after all others', [ok('a'), ok('b'), over('a'), over('b')], [branch('a')]],
  ['a branch that is still being offered does not count as alive', [ok('a'), sent('b'), over('a')], []],
  ['a refused branch does not count as alive', [ok('a'), no('b'), over('a')], []],
  ['an answered branch outlives its INVITE transaction', [ok('a'), ok('b'), answered('a'), over('a')], []],
  [
    'the losers go when their transactions end',
    [ok('a'), ok('b'), ok('c'), answered('b'), over('a'), over('c')],
    [branch('a'), branch('c')],
  ],
  [
    'of two dialogs, the first that ends is a branch',
    [ok('a'), ok('b'), answered('a'), answered('b'), bye('a')],
    [branch('a')],
  ],
  ['another profile: new via-branch first, then the old one is deleted', [ok('a'), ok('a2'), over('a')], [branch('a')]],
  ['a branch whose callee made the offer is not deleted', [late('a'), late('b'), over('a'), bye('b')], []],
  ['the end of the call deletes all of it', [ok('a'), ok('b'), end], [call]],
  ['the end of the call, after a branch was deleted', [ok('a'), ok('b'), over('a'), end], [branch('a'), call]],
  ['the call ends once', [ok('a'), end, end], [call]],
  ['an offer with unknown outcome may have made the call', [sent('a'), end], [call]],
  ['a refused offer may have made the call', [no('a'), end], [call]],
  ['a call whose first offer came in an UPDATE or a re-INVITE has no branch, and is deleted', [end], [call]],
  ['after the end no branch is deleted', [ok('a'), ok('b'), end, over('a')], [call]],
  ['an offer that is answered after the end has made the call anew', [sent('a'), end, ok('a')], [call, call]],
];

describe('delete rules (DESIGN §4)', () => {
  for (const [rule, events, deletes] of cases) {
    it(rule, () => assert.deepEqual(run(events), deletes));
  }

  it('never deletes a branch twice, an unknown or refused one, or the last one that lives, in any order of events', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const event = fc.oneof(
      ...[sent, ok, no, late, answered, over, bye].map((make) => name.map(make)),
      fc.constant(end),
    );
    fc.assert(fc.property(fc.array(event, { maxLength: 30 }), isSafe), { numRuns: 2000 });
  });

  it('writes the command of a branch with from-tag and via-branch, of a leg with the tag, of a call with neither', () => {
    const whole = { command: 'delete', 'call-id': 'c1', 'delete-delay': 0 };
    assert.deepEqual(deleteCommand('c1', 'tag', call), whole);
    assert.deepEqual(deleteCommand('c1', 'tag', branch('a')), { ...whole, 'from-tag': 'tag', 'via-branch': 'a' });
    assert.deepEqual(deleteCommand('c1', 'tag', { delete: 'leg' }), { ...whole, 'from-tag': 'tag' });
  });
});

function run(events: readonly MediaEvent[]): readonly MediaDelete[] {
  let session = createMediaSession();
  return events.flatMap((event) => {
    const [next, deletes] = stepMediaSession(session, event);
    session = next;
    return deletes;
  });
}

/** A model of rtpengine: which branches it knows. A branch delete has to be for one of several. */
function isSafe(events: readonly MediaEvent[]): boolean {
  let session = createMediaSession();
  const known = new Set<string>();
  return events.every((event) => {
    if (event.on === 'offer-ok') known.add(event.branch);
    const [next, deletes] = stepMediaSession(session, event);
    session = next;
    return deletes.every((each) => each.delete !== 'branch' || (known.delete(each.branch) && known.size > 0));
  });
}
