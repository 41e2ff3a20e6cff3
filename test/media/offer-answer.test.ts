import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { answerKeys, offerKeys } from '../../src/media/ng-keys.ts';
import {
  acceptedPair,
  type Command,
  confirmed,
  createExchange,
  type Exchange,
  type ExchangeEvent,
  stepExchange,
} from '../../src/media/offer-answer.ts';

/**
 * A message in a few words: sender, what it is, the callee's tag, its SDP. `caller INVITE - o1` is the first INVITE with
 * the offer o1; `callee 183 INVITE b1 a1` an answer; `rel` marks a reliable provisional response.
 */
function message(text: string): ExchangeEvent {
  const [from, ...rest] = text.split(' ');
  const reliable = rest[0] === 'rel';
  if (reliable) rest.shift();
  const status = /^\d+$/.test(rest[0] ?? '') ? Number(rest.shift()) : undefined;
  const [method = '', tag, sdp] = rest;
  const common = {
    from: from === 'caller' ? 'caller' : 'callee',
    method,
    tag: tag === '-' ? undefined : tag,
    sdp,
  } as const;
  return status === undefined ? { on: 'request', ...common } : { on: 'response', status, reliable, ...common };
}

/** What is done, in as few words. */
function words(command: Command): string {
  switch (command.do) {
    case 'offer':
      return `offer ${command.offerer} ${command.offer}`;
    case 'answer':
    case 'preview-answer': {
      const extras = `${command.renew ? ' renewed' : ''}${command.body === 'keep' ? ' unseen' : ''}`;
      return `${command.do} ${command.offerer} ${command.offer} ${command.answer}${extras}`;
    }
    case 'restore':
      return `restore ${command.offerer} ${command.offer} ${command.answer}`;
    case 'refused':
      return `refused ${command.status}`;
    default:
      return command.do;
  }
}

type Step = readonly [message: string, command: string];

/** A call that is up: the caller offered o1, the callee b answered a1. */
const established: readonly Step[] = [
  ['caller INVITE - o1', 'offer caller o1'],
  ['callee 200 INVITE b a1', 'answer caller o1 a1'],
  ['caller ACK b', 'none'],
];

const cases: readonly (readonly [title: string, steps: readonly Step[]])[] = [
  // --- the first INVITE ---
  ['RFC 3264 §5: the offer in INVITE, the answer in 200', established],
  [
    'RFC 3261 §13.2.1: no SDP in 100 and 180, nothing to do',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 100 INVITE -', 'none'],
      ['callee 180 INVITE b', 'none'],
      ['callee 200 INVITE b a1', 'answer caller o1 a1'],
    ],
  ],
  [
    'RFC 6337 §3.1.1: the SDP of an unreliable 183 is a preview, the 200 repeats it',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b a1', 'preview-answer caller o1 a1'],
      ['callee 200 INVITE b a1', 'answer caller o1 a1'],
    ],
  ],
  [
    'early media, then a 200 without SDP: the preview was the answer',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b a1', 'preview-answer caller o1 a1'],
      ['callee 200 INVITE b', 'answer caller o1 a1 unseen'],
    ],
  ],
  [
    'early media, then a 200 with another SDP: the offer again first, or rtpengine mixes the codecs of both',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b a1', 'preview-answer caller o1 a1'],
      ['callee 200 INVITE b a2', 'answer caller o1 a2 renewed'],
    ],
  ],
  [
    'RFC 3262 §5: the SDP of a reliable 183 is the answer; a 200 without SDP sends it again',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee rel 183 INVITE b a1', 'answer caller o1 a1'],
      ['caller PRACK b', 'none'],
      ['callee 200 PRACK b', 'none'],
      ['callee 200 INVITE b', 'answer caller o1 a1 unseen'],
    ],
  ],
  [
    'a repeated reliable 183 and a 200 with the same SDP are the same answer',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee rel 183 INVITE b a1', 'answer caller o1 a1'],
      ['callee rel 183 INVITE b a1', 'answer caller o1 a1'],
      ['callee 200 INVITE b a1', 'answer caller o1 a1'],
    ],
  ],
  [
    'a gateway that changes its answer in the 200 after a reliable 183 is followed',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee rel 183 INVITE b a1', 'answer caller o1 a1'],
      ['callee 200 INVITE b a2', 'answer caller o1 a2 renewed'],
    ],
  ],
  [
    'a 200 without any SDP to an INVITE with one goes on: the caller ends that call',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 200 INVITE b', 'none'],
      ['caller BYE b', 'none'],
    ],
  ],
  [
    'a refused INVITE has nothing to restore',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b a1', 'preview-answer caller o1 a1'],
      ['callee 486 INVITE b', 'none'],
    ],
  ],
  [
    'RFC 3261 §13.3.1.3: the SDP of a 488 is no answer and goes on as it is',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 488 INVITE b a1', 'none'],
    ],
  ],
  // --- several To tags ---
  [
    'RFC 3261 §13.2.2.4: two To tags, each with its own answer; the second needs the offer again',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b1 a1', 'preview-answer caller o1 a1'],
      ['callee 183 INVITE b2 a2', 'preview-answer caller o1 a2 renewed'],
      ['callee 200 INVITE b2 a2', 'answer caller o1 a2'],
    ],
  ],
  [
    "the winner's answer is sent again when another To tag displaced it, also without SDP in its 200",
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b1 a1', 'preview-answer caller o1 a1'],
      ['callee 183 INVITE b2 a2', 'preview-answer caller o1 a2 renewed'],
      ['callee 200 INVITE b1', 'answer caller o1 a1 renewed unseen'],
    ],
  ],
  [
    'an UPDATE in one early dialog; the other answers the INVITE nevertheless',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee rel 183 INVITE b1 a1', 'answer caller o1 a1'],
      ['caller UPDATE b1 o2', 'offer caller o2'],
      ['callee 200 UPDATE b1 a2', 'answer caller o2 a2'],
      ['callee 200 INVITE b2 a3', 'answer caller o1 a3 renewed'],
    ],
  ],
  [
    'a failed fork takes its early dialog with it, and leaves the other',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b1 a1', 'preview-answer caller o1 a1'],
      ['callee 486 INVITE b1', 'none'],
      ['callee 200 INVITE b2 a2', 'answer caller o1 a2 renewed'],
    ],
  ],
  // --- late offer ---
  [
    'RFC 3261 §13.2.1: no offer in INVITE: the 200 has it, the ACK the answer',
    [
      ['caller INVITE -', 'none'],
      ['callee 200 INVITE b o1', 'offer callee o1'],
      ['caller ACK b a1', 'answer callee o1 a1'],
    ],
  ],
  [
    'RFC 3262 §5: the offer in a reliable 183, the answer in its PRACK',
    [
      ['caller INVITE -', 'none'],
      ['callee rel 183 INVITE b o1', 'offer callee o1'],
      ['caller PRACK b a1', 'answer callee o1 a1'],
      ['callee 200 PRACK b', 'none'],
      ['callee 200 INVITE b', 'answer callee o1 a1 unseen'],
      ['caller ACK b', 'none'],
    ],
  ],
  [
    'a repeated offer in a repeated reliable 183 is the same offer',
    [
      ['caller INVITE -', 'none'],
      ['callee rel 183 INVITE b o1', 'offer callee o1'],
      ['callee rel 183 INVITE b o1', 'offer callee o1'],
      ['caller PRACK b a1', 'answer callee o1 a1'],
    ],
  ],
  [
    'RFC 3261 §13.2.1: an unreliable 183 cannot make the offer; its SDP would bypass rtpengine',
    [
      ['caller INVITE -', 'none'],
      ['callee 183 INVITE b o1', 'drop-body'],
      ['callee 200 INVITE b o1', 'offer callee o1'],
      ['caller ACK b a1', 'answer callee o1 a1'],
    ],
  ],
  [
    'an ACK without the answer: that call has no media, and later offers are free',
    [
      ['caller INVITE -', 'none'],
      ['callee 200 INVITE b o1', 'offer callee o1'],
      ['caller ACK b', 'none'],
      ['callee UPDATE b o2', 'offer callee o2'],
    ],
  ],
  // --- PRACK and UPDATE before the 200 ---
  [
    'RFC 3262 §5: a PRACK with a new offer, answered in its 200',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee rel 183 INVITE b a1', 'answer caller o1 a1'],
      ['caller PRACK b o2', 'offer caller o2'],
      ['callee 200 PRACK b a2', 'answer caller o2 a2'],
    ],
  ],
  [
    'RFC 3311 §5.1: UPDATE from the callee in an early dialog; the 200 to INVITE then changes nothing',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee rel 183 INVITE b a1', 'answer caller o1 a1'],
      ['callee UPDATE b o2', 'offer callee o2'],
      ['caller 200 UPDATE b a2', 'answer callee o2 a2'],
      ['callee 200 INVITE b', 'answer callee o2 a2 unseen'],
    ],
  ],
  [
    'after that UPDATE the old SDP in the 200 counts for nothing',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee rel 183 INVITE b a1', 'answer caller o1 a1'],
      ['caller UPDATE b o2', 'offer caller o2'],
      ['callee 200 UPDATE b a2', 'answer caller o2 a2'],
      ['callee 200 INVITE b a1', 'drop-body'],
    ],
  ],
  [
    'RFC 3311 §5.2: an UPDATE of the callee while the INVITE is unanswered: 491',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b a1', 'preview-answer caller o1 a1'],
      ['callee UPDATE b o2', 'refused 491'],
      ['callee 200 INVITE b a1', 'answer caller o1 a1'],
    ],
  ],
  [
    'RFC 3311 §5.2: an UPDATE of the caller while its INVITE is unanswered: 500',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE b a1', 'preview-answer caller o1 a1'],
      ['caller UPDATE b o2', 'refused 500'],
      ['callee 200 INVITE b a1', 'answer caller o1 a1'],
    ],
  ],
  // --- in the call ---
  [
    're-INVITE of the caller (hold)',
    [
      ...established,
      ['caller INVITE b o2', 'offer caller o2'],
      ['callee 200 INVITE b a2', 'answer caller o2 a2'],
      ['caller ACK b', 'none'],
    ],
  ],
  [
    're-INVITE of the callee: the tags change places',
    [
      ...established,
      ['callee INVITE b o2', 'offer callee o2'],
      ['caller 200 INVITE b a2', 'answer callee o2 a2'],
      ['callee ACK b', 'none'],
    ],
  ],
  [
    're-INVITE without an offer: the other side offers in its 200',
    [
      ...established,
      ['caller INVITE b', 'none'],
      ['callee 200 INVITE b o2', 'offer callee o2'],
      ['caller ACK b a2', 'answer callee o2 a2'],
    ],
  ],
  [
    're-INVITE without an offer, refused: nothing was touched',
    [...established, ['caller INVITE b', 'none'], ['callee 488 INVITE b', 'none']],
  ],
  [
    'UPDATE in the call',
    [...established, ['callee UPDATE b o2', 'offer callee o2'], ['caller 200 UPDATE b a2', 'answer callee o2 a2']],
  ],
  [
    'an UPDATE without SDP (session timer) touches nothing',
    [...established, ['caller UPDATE b', 'none'], ['callee 200 UPDATE b', 'none']],
  ],
  [
    'RFC 6337 §3.4: a refused re-INVITE: the last accepted offer and answer again',
    [
      ...established,
      ['caller INVITE b o2', 'offer caller o2'],
      ['callee 488 INVITE b', 'restore caller o1 a1'],
      ['caller INVITE b o3', 'offer caller o3'],
      ['callee 200 INVITE b a3', 'answer caller o3 a3'],
    ],
  ],
  [
    'refused after another change: that change is what is restored',
    [
      ...established,
      ['callee INVITE b o2', 'offer callee o2'],
      ['caller 200 INVITE b a2', 'answer callee o2 a2'],
      ['caller UPDATE b o3', 'offer caller o3'],
      ['callee 500 UPDATE b', 'restore callee o2 a2'],
    ],
  ],
  [
    'RFC 6141 §3.4: a re-INVITE that fails after a reliable answer takes all back that happened in it',
    [
      ...established,
      ['caller INVITE b o2', 'offer caller o2'],
      ['callee rel 183 INVITE b a2', 'answer caller o2 a2'],
      ['caller UPDATE b o3', 'offer caller o3'],
      ['callee 200 UPDATE b a3', 'answer caller o3 a3'],
      ['callee 500 INVITE b', 'restore caller o1 a1'],
    ],
  ],
  [
    'a re-INVITE answered without SDP, or an UPDATE: what was accepted holds',
    [
      ...established,
      ['caller INVITE b o2', 'offer caller o2'],
      ['callee 200 INVITE b', 'restore caller o1 a1'],
      ['caller UPDATE b o3', 'offer caller o3'],
      ['callee 200 UPDATE b', 'restore caller o1 a1'],
    ],
  ],
  [
    'a late offer in the call that the ACK does not answer: what was accepted holds',
    [
      ...established,
      ['caller INVITE b', 'none'],
      ['callee 200 INVITE b o2', 'offer callee o2'],
      ['caller ACK b', 'restore caller o1 a1'],
    ],
  ],
  [
    'a late offer whose ACK got lost does not stop the next offer',
    [
      ...established,
      ['caller INVITE b', 'none'],
      ['callee 200 INVITE b o2', 'offer callee o2'],
      ['caller INVITE b o3', 'offer caller o3'],
      ['callee 200 INVITE b a3', 'answer caller o3 a3'],
    ],
  ],
  // --- glare ---
  [
    'RFC 3261 §14.2: both sides re-INVITE: the later gets 491 from us; the earlier, refused too, is taken back',
    [
      ...established,
      ['caller INVITE b o2', 'offer caller o2'],
      ['callee INVITE b o3', 'refused 491'],
      ['callee 491 INVITE b', 'restore caller o1 a1'],
    ],
  ],
  [
    'RFC 3261 §14.2: a second re-INVITE before the first is answered: 500',
    [
      ...established,
      ['caller INVITE b o2', 'offer caller o2'],
      ['caller INVITE b o3', 'refused 500'],
      ['callee 200 INVITE b a2', 'answer caller o2 a2'],
    ],
  ],
  [
    'the failure of a request without an offer does not touch the offer of the other side',
    [
      ...established,
      ['caller INVITE b o2', 'offer caller o2'],
      ['caller 500 UPDATE b', 'none'],
      ['callee 200 INVITE b a2', 'answer caller o2 a2'],
    ],
  ],
  // --- SDP where none belongs ---
  ['an ACK with SDP that nobody asked for', [...established, ['caller ACK b a9', 'drop-body']]],
  [
    'a 200 to UPDATE with SDP that nobody asked for',
    [...established, ['caller UPDATE b', 'none'], ['callee 200 UPDATE b a9', 'drop-body']],
  ],
  [
    'SDP in a response without To tag',
    [
      ['caller INVITE - o1', 'offer caller o1'],
      ['callee 183 INVITE - a1', 'drop-body'],
    ],
  ],
  [
    'SDP in requests that do not negotiate (RFC 3264 §4) is theirs',
    [
      ...established,
      ['caller INFO b o9', 'none'],
      ['callee 200 INFO b a9', 'none'],
      ['caller MESSAGE b o9', 'none'],
      ['callee 200 OPTIONS b a9', 'none'],
    ],
  ],
];

describe('which ng command a message needs', () => {
  for (const [title, steps] of cases) {
    it(title, () => {
      let exchange = createExchange();
      const done = steps.map(([text]): Step => {
        const [next, command] = stepExchange(exchange, message(text));
        exchange = next;
        return [text, words(command)];
      });
      assert.deepEqual(done, steps);
    });
  }

  it('keeps the last accepted offer and answer of each dialog', () => {
    const exchange = run(['caller INVITE - o1', 'callee 200 INVITE b a1', 'caller INVITE b o2', 'callee 488 INVITE b']);
    const { offer, answer } = acceptedPair(exchange, 'b') ?? {};
    assert.deepEqual([offer, answer], ['o1', 'a1']);
    assert.equal(acceptedPair(exchange, 'nobody'), undefined);
  });

  it('after the 2xx the other early dialogs are forgotten', () => {
    const forked = run(['caller INVITE - o1', 'callee 183 INVITE b1 a1', 'callee 200 INVITE b2 a2']);
    assert.deepEqual([...confirmed(forked, 'b2').dialogs.keys()], ['b2']);
  });

  it('after a restart, with nothing remembered, a re-INVITE from either side works', () => {
    for (const from of ['caller', 'callee']) {
      const [, command] = stepExchange(createExchange(), message(`${from} INVITE b o2`));
      assert.equal(words(command), `offer ${from} o2`);
    }
  });

  it('holds no more than 32 To tags of one call', () => {
    let exchange = run(['caller INVITE - o1']);
    for (let count = 0; count < 100; count += 1) {
      exchange = stepExchange(exchange, message(`callee 183 INVITE b${count} a${count}`))[0];
    }
    assert.equal(exchange.dialogs.size, 32);
    assert.equal(words(stepExchange(exchange, message('callee 200 INVITE b99 a99'))[1]), 'refused 500');
    assert.equal(words(stepExchange(exchange, message('callee 200 INVITE b1 a1'))[1]), 'answer caller o1 a1 renewed');
  });

  it('answers nothing that was not offered, and lets no SDP of INVITE, UPDATE, PRACK or ACK through, in any order', () => {
    fc.assert(fc.property(fc.array(anyMessage, { maxLength: 25 }), isSound), { numRuns: 3000 });
  });
});

describe('by which keys rtpengine finds the two sides', () => {
  const tags = { callId: 'c1', caller: 'alice', callee: 'bob', viaBranch: 'vd/z9' };
  const found = (steps: readonly string[]): object[] => {
    let exchange = createExchange();
    return steps.flatMap((text) => {
      const [next, command] = stepExchange(exchange, message(text));
      exchange = next;
      if (command.do === 'offer') return [offerKeys(command, tags)];
      if (command.do === 'restore') return [offerKeys(command, tags), answerKeys(command, tags)];
      return command.do === 'answer' ? [answerKeys(command, tags)] : [];
    });
  };
  const both = { 'call-id': 'c1', 'from-tag': 'alice', 'to-tag': 'bob' };
  const turned = { 'call-id': 'c1', 'from-tag': 'bob', 'to-tag': 'alice' };

  it('the first INVITE: offer by via-branch and without to-tag, answer by both', () => {
    assert.deepEqual(found(['caller INVITE - o1', 'callee 200 INVITE b a1']), [
      { 'call-id': 'c1', 'from-tag': 'alice', 'via-branch': 'vd/z9' },
      { ...both, 'via-branch': 'vd/z9' },
    ]);
  });

  it('a late offer: from-tag is the offering callee', () => {
    assert.deepEqual(found(['caller INVITE -', 'callee 200 INVITE b o1', 'caller ACK b a1']), [
      { ...turned, 'via-branch': 'vd/z9' },
      { ...turned, 'via-branch': 'vd/z9' },
    ]);
  });

  it('in the call: by the tags alone, the offerer first, for a restored pair too', () => {
    const first = ['caller INVITE - o1', 'callee 200 INVITE b a1'];
    const skip = 2;
    assert.deepEqual(found([...first, 'callee INVITE b o2', 'caller 200 INVITE b a2']).slice(skip), [turned, turned]);
    assert.deepEqual(found([...first, 'callee INVITE b o2', 'caller 488 INVITE b']).slice(skip), [turned, both, both]);
  });
});

function run(steps: readonly string[]): Exchange {
  return steps.reduce((exchange, text) => stepExchange(exchange, message(text))[0], createExchange());
}

const anyMessage = fc
  .tuple(
    fc.constantFrom('caller', 'callee'),
    fc.constantFrom('', '', 'rel 183 ', '183 ', '200 ', '200 ', '488 '),
    fc.constantFrom('INVITE', 'INVITE', 'INVITE', 'UPDATE', 'PRACK', 'ACK'),
    fc.constantFrom('b1', 'b1', 'b2'),
    fc.constantFrom('', ' s1', ' s2', ' s3'),
  )
  .filter(([, status, method]) => method !== 'ACK' || status === '')
  .map((parts) => message(`${parts[0]} ${parts[1]}${parts[2]} ${parts[3]}${parts[4]}`));

function isSound(events: readonly ExchangeEvent[]): boolean {
  let exchange = run(['caller INVITE - o1']);
  const offered = new Set(['caller o1']);
  return events.every((event) => {
    const [next, command] = stepExchange(exchange, event);
    exchange = next;
    if (command.do === 'offer') offered.add(`${command.offerer} ${command.offer}`);
    const failure = event.on === 'response' && event.status >= 300;
    if (command.do === 'none') return event.sdp === undefined || failure;
    if (command.do === 'answer' || command.do === 'preview-answer')
      return offered.has(`${command.offerer} ${command.offer}`);
    return true;
  });
}
