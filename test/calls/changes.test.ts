/**
 * What changes within a call, one row each: by which message, with which SDP, and the ng commands that it yields. The call
 * is between a plain telephone and one with SDES, and after each row the latter is still written to as what it is.
 * Which command a message needs in any state of a dialog: test/media/offer-answer.txt.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Agent, AgentDialog } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, sdpType } from '../support/proxy-scene.ts';
import { phoneOffer, type SdpOptions, sdesOffer, seen } from '../support/sdp.ts';

const sdp = (body: string): { readonly body: string; readonly contentType: string } => ({ body, contentType: sdpType });

type Edit = (sdp: string) => string;

interface Change {
  readonly title: string;
  readonly by: 'alice' | 'bob';
  readonly method: 'INVITE' | 'UPDATE';
  /** What becomes of the SDP of the one who asks; absent: it brings none. */
  readonly offer?: Edit;
  /** The same for the answer, or for the offer of a 200 to an INVITE without one; or the status of a refusal. */
  readonly answer: Edit | number;
  readonly ng: readonly string[];
}

const same: Edit = (body) => body;
const direction =
  (name: string): Edit =>
  (body) =>
    body.replace('a=sendrecv', `a=${name}`);
const noAddress: Edit = (body) => body.replace(/^c=IN IP4 .*\r$/m, 'c=IN IP4 0.0.0.0\r');
const video: Edit = (body) => `${body}m=video 46000 ${seen(body).protocol} 96\r\na=rtpmap:96 VP8/90000\r\n`;
const noVideo: Edit = (body) => `${body}m=video 0 ${seen(body).protocol} 96\r\n`;
const noAudio: Edit = (body) => body.replace(/^m=audio \d+/m, 'm=audio 0');
const faxLines = 'm=image 48000 udptl t38\r\na=T38FaxVersion:0\r\n';
const fax: Edit = (body) => body.slice(0, body.indexOf('m=')) + faxLines;
const faxBeside: Edit = (body) => noAudio(body) + faxLines;

const toBob = ['offer RTP/SAVP', 'answer'];
const toAlice = ['offer RTP/AVP', 'answer'];

const changes: readonly Change[] = [
  {
    title: 'RFC 3264 §8.4: hold (sendonly)',
    by: 'alice',
    method: 'INVITE',
    offer: direction('sendonly'),
    answer: direction('recvonly'),
    ng: toBob,
  },
  {
    title: 'RFC 3264 §8.4: hold without music (inactive)',
    by: 'bob',
    method: 'INVITE',
    offer: direction('inactive'),
    answer: direction('inactive'),
    ng: toAlice,
  },
  {
    title: 'RFC 2543 §B.5: hold in the old style (c=0.0.0.0)',
    by: 'alice',
    method: 'INVITE',
    offer: noAddress,
    answer: same,
    ng: toBob,
  },
  {
    title: 'RFC 3311: hold by UPDATE',
    by: 'bob',
    method: 'UPDATE',
    offer: direction('sendonly'),
    answer: direction('recvonly'),
    ng: toAlice,
  },
  {
    title: 'RFC 4028: a refresh that repeats the SDP',
    by: 'alice',
    method: 'INVITE',
    offer: same,
    answer: same,
    ng: toBob,
  },
  { title: 'RFC 4028: a refresh without SDP (UPDATE)', by: 'alice', method: 'UPDATE', answer: 200, ng: [] },
  {
    title: 'RFC 3261 §14.1: a re-INVITE without SDP: the other side offers',
    by: 'alice',
    method: 'INVITE',
    answer: same,
    ng: toAlice,
  },
  { title: 'RFC 3264 §8.1: a medium is added', by: 'alice', method: 'INVITE', offer: video, answer: video, ng: toBob },
  {
    title: 'RFC 3264 §6: a medium is added, and refused (port 0)',
    by: 'bob',
    method: 'INVITE',
    offer: video,
    answer: noVideo,
    ng: toAlice,
  },
  {
    title: 'RFC 3264 §8.2: a medium is removed',
    by: 'alice',
    method: 'UPDATE',
    offer: noVideo,
    answer: noVideo,
    ng: toBob,
  },
  { title: 'RFC 3362: T.38 in place of the audio', by: 'bob', method: 'INVITE', offer: fax, answer: fax, ng: toAlice },
  {
    title: 'RFC 3362: T.38 beside the audio, which is switched off',
    by: 'alice',
    method: 'INVITE',
    offer: faxBeside,
    answer: faxBeside,
    ng: toBob,
  },
  {
    title: 'RFC 3362: T.38 is refused: the audio is restored',
    by: 'alice',
    method: 'INVITE',
    offer: fax,
    answer: 488,
    ng: ['offer RTP/SAVP', 'offer RTP/SAVP', 'answer'],
  },
  {
    title: 'RFC 6337 §3.4: a refused UPDATE: the media is restored',
    by: 'bob',
    method: 'UPDATE',
    offer: video,
    answer: 488,
    ng: ['offer RTP/AVP', 'offer RTP/SAVP', 'answer'],
  },
];

class Call {
  readonly #it: ProxyScene;
  readonly #ends: Readonly<Record<'alice' | 'bob', { readonly agent: Agent; readonly dialog: AgentDialog }>>;
  #version = 2;

  constructor(it: ProxyScene, ends: Call['ends']) {
    this.#it = it;
    this.#ends = ends;
  }

  get ends(): Readonly<Record<'alice' | 'bob', { readonly agent: Agent; readonly dialog: AgentDialog }>> {
    return this.#ends;
  }

  /** The ng commands that it yields. */
  async perform({ by, method, offer, answer }: Change): Promise<readonly string[]> {
    const before = this.#it.media.story().length;
    const one = this.#ends[by];
    const other = this.#ends[by === 'alice' ? 'bob' : 'alice'];
    const [own, theirs] = [this.#sdpOf(by), this.#sdpOf(by === 'alice' ? 'bob' : 'alice')];
    const request = one.agent.within(one.dialog, method, offer === undefined ? {} : sdp(offer(own)));
    const received = await other.agent.receivesRequest(method);
    if (offer !== undefined) passed(received.body, offer(own));
    const status = typeof answer === 'number' ? answer : 200;
    const body = typeof answer === 'number' ? {} : sdp(answer(theirs));
    other.agent.respond(received, status, { ...body, toTag: other.dialog.local.tag ?? '' });
    if (status >= 300 && method === 'INVITE') await other.agent.receivesRequest('ACK');
    const final = await one.agent.receivesFinal(method);
    if (typeof answer !== 'number') passed(final.body, answer(theirs));
    if (method === 'INVITE') {
      one.agent.ack(request, final, offer === undefined ? sdp(own) : {});
      if (status < 300) await other.agent.receivesRequest('ACK');
    }
    return this.#it.media.story().slice(before);
  }

  #sdpOf(who: 'alice' | 'bob'): string {
    const options: SdpOptions = { version: this.#version++ };
    return who === 'alice' ? phoneOffer('alice', options) : sdesOffer('bob', options);
  }
}

/** It came from the relay, with every medium that was sent, in its place and on or off; more are of before, and off. */
function passed(received: string, sent: string): void {
  const media = (text: string): readonly string[] =>
    Array.from(text.matchAll(/^m=(\S+) (\d+)/gm), ([, kind, port]) => `${kind} ${port === '0' ? 'off' : 'on'}`);
  const [is, was] = [media(received), media(sent)];
  assert.deepEqual([seen(received).relayed, is.slice(0, was.length)], [true, was]);
  for (const more of is.slice(was.length)) assert.match(more, / off$/);
}

for (const change of changes) {
  test(change.title, async () => {
    const it = createProxyScene({ columns: ['alice', 'proxy', 'bob'] });
    await it.play(async () => {
      const alice = await it.registered({ name: 'alice', address: '192.0.2.1' });
      const bob = await it.registered({ name: 'bob', address: '192.0.2.2' });
      await it.database.location.learn(bob.aor, keyOf(it, bob), 'sdes');
      const { caller, callee } = await it.call(alice, bob, { answer: sdesOffer('bob') });
      const call = new Call(it, { alice: { agent: alice, dialog: caller }, bob: { agent: bob, dialog: callee } });
      assert.deepEqual(await call.perform(change), change.ng);
      const hold = { title: '', by: 'alice', method: 'INVITE', offer: same, answer: same, ng: toBob } as const;
      assert.deepEqual(await call.perform(hold), toBob, 'afterwards bob is still a telephone with SDES');
      await it.hangUp(alice, caller, bob);
    });
  });
}

function keyOf(it: ProxyScene, { aor }: Agent): string {
  return it.database.rows.bindings().find((binding) => binding.aor === aor)?.key ?? '';
}
