import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type NgClient, openNgClient } from '../../../src/adapters/rtpengine/ng-client.ts';
import { type ErrorCode, Failure } from '../../../src/errors.ts';
import type { NgCommand } from '../../../src/media/commands.ts';
import { createClock, settle, type VirtualClock } from '../../support/clock.ts';
import { type Behaviour, type NgFake, reply, silent, startNgFake, wellBehaved } from '../../support/ng-fake.ts';
import { realClock, realRandom, silentLog } from '../../support/rtpengine.ts';

const offer: NgCommand = { command: 'offer', 'call-id': 'c1', 'from-tag': 'a', sdp: 'v=0\r\n' };
const ping: NgCommand = { command: 'ping' };

interface Lab {
  readonly fake: NgFake;
  readonly client: NgClient;
  readonly clock: VirtualClock;
  readonly refusals: string[];
}

/** A fake node and a client whose time is ours. */
async function lab(
  test: TestContext,
  behaviour: Behaviour = wellBehaved,
  more: { maxInFlight?: number } = {},
): Promise<Lab> {
  const fake = await startNgFake(behaviour);
  const clock = createClock();
  const refusals: string[] = [];
  const onRefused = (reason: string): number => refusals.push(reason);
  const services = { clock, random: realRandom, log: silentLog, onRefused };
  const client = openNgClient({ host: '127.0.0.1', port: fake.port, ...services, ...more });
  test.after(async () => {
    client.close();
    await fake.stop().catch(() => {});
  });
  return { fake, client, clock, refusals };
}

/** Waits in real time for something that the network brings. */
async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !done(); tries += 1) await delay(5);
  assert.ok(done(), 'it never came');
}

async function failure(promise: Promise<unknown>): Promise<Failure> {
  const thrown = await promise.then(
    () => assert.fail('it was answered'),
    (reason: unknown) => reason,
  );
  assert.ok(thrown instanceof Failure, String(thrown));
  return thrown;
}

describe('ng client: repetition', () => {
  it('sends the same bytes again after 250, 500 and 1000 ms, then fails with media-timeout', async (test) => {
    const { fake, client, clock } = await lab(test, silent);
    const outcome = failure(client.send(offer));
    await until(() => fake.requests.length === 1);
    for (const [afterMs, requests] of [
      [249, 1],
      [1, 2],
      [249, 2],
      [1, 3],
      [499, 3],
      [1, 4],
      [749, 4],
    ] as const) {
      await clock.advance(afterMs);
      await until(() => fake.requests.length >= requests);
      assert.equal(fake.requests.length, requests);
    }
    assert.equal(client.inFlight(), 1);
    await clock.advance(1);
    assert.equal((await outcome).code, 'media-timeout');
    assert.equal(new Set(fake.requests.map(({ text }) => text)).size, 1);
    assert.equal(client.counters().repeated, 3);
    assert.deepEqual([client.inFlight(), clock.pending()], [0, 0]);
  });

  it('takes the answer to a repetition', async (test) => {
    const { fake, client, clock } = await lab(
      test,
      (request, send) => request.times === 3 && wellBehaved(request, send),
    );
    const outcome = client.send(offer);
    await until(() => fake.requests.length === 1);
    await clock.advance(250);
    await clock.advance(250);
    assert.equal((await outcome).sdp, 'v=0\r\n');
    assert.equal(clock.pending(), 0);
  });

  it('gives every command 128 random bits as its cookie, never used again', async (test) => {
    const { fake, client } = await lab(test);
    await Promise.all(Array.from({ length: 50 }, () => client.send(ping)));
    const cookies = fake.requests.map(({ cookie }) => cookie);
    assert.equal(new Set(cookies).size, 50);
    for (const cookie of cookies) assert.match(cookie, /^[0-9a-f]{32}$/);
  });
});

describe('ng client: what comes in is counted and never thrown', () => {
  it('a reply after the deadline, and a second reply', async (test) => {
    let answerNow = (): void => {};
    const { fake, client, clock } = await lab(test, (request, send) => {
      answerNow = () => wellBehaved(request, send);
    });
    const outcome = failure(client.send(ping));
    await until(() => fake.requests.length === 1);
    await clock.advance(1750);
    await outcome;
    answerNow();
    await until(() => client.counters().late === 1);
    fake.behave((request, send) => {
      wellBehaved(request, send);
      wellBehaved(request, send);
    });
    await client.send(ping);
    await until(() => client.counters().duplicate === 1);
  });

  it('rubbish, in front of the answer', async (test) => {
    const rubbish = (cookie: string): string[] => [
      '',
      ' ',
      'x',
      cookie,
      `${cookie} `,
      `${cookie} l-3:e`,
      `${cookie} i1e`,
      `${cookie} d6:result2:ok`,
      `wrong ${'9'.repeat(30)}:`,
    ];
    const { client } = await lab(test, (request, send) => {
      for (const text of rubbish(request.cookie)) send(text);
      wellBehaved(request, send);
    });
    assert.equal((await client.send(ping)).result, 'pong');
    const { stray, undecodable } = client.counters();
    assert.deepEqual([stray, undecodable], [5, 4]);
  });

  it('the right answer from somebody else does not arrive: the socket is connected', async (test) => {
    const { fake, client, clock } = await lab(test, silent);
    const outcome = failure(client.send(ping));
    await until(() => fake.requests.length === 1);
    const { cookie = '', port = 0 } = fake.requests[0] ?? {};
    const stranger = createSocket('udp4');
    const text = Buffer.from(reply(cookie, { result: 'pong' }), 'latin1');
    await new Promise((resolve) => stranger.send(text, port, '127.0.0.1', resolve));
    stranger.close();
    await delay(50);
    await clock.advance(1750);
    assert.equal((await outcome).code, 'media-timeout');
    const { late, stray } = client.counters();
    assert.deepEqual([late, stray], [0, 0]);
  });
});

describe('ng client: limits', () => {
  it('refuses with `overloaded` what is more than it may have in flight, at once', async (test) => {
    const { fake, client, clock } = await lab(test, silent, { maxInFlight: 2 });
    const first = [failure(client.send(ping)), failure(client.send(ping))];
    assert.equal((await failure(client.send(ping))).code, 'overloaded');
    await until(() => fake.requests.length === 2);
    await clock.advance(1750);
    assert.deepEqual(
      (await Promise.all(first)).map(({ code }) => code),
      ['media-timeout', 'media-timeout'],
    );
    fake.behave(wellBehaved);
    assert.equal((await client.send(ping)).result, 'pong');
  });

  it('refuses an SDP that no datagram can carry', async (test) => {
    const { client } = await lab(test);
    const huge: NgCommand = { command: 'offer', 'call-id': 'c', 'from-tag': 'a', sdp: 'x'.repeat(66_000) };
    assert.equal((await failure(client.send(huge))).code, 'media-refused');
    assert.equal(client.inFlight(), 0);
  });

  it('carries an SDP of 60,000 bytes of any kind both ways', async (test) => {
    const { client } = await lab(test);
    const sdp = '\u00e0\u00ff\r\n'.repeat(15_000);
    assert.equal((await client.send({ command: 'offer', 'call-id': 'c', 'from-tag': 'a', sdp })).sdp, sdp);
  });

  it('closing it fails what is in flight, and what comes later', async (test) => {
    const fake = await startNgFake(silent);
    test.after(() => fake.stop());
    const client = openNgClient({
      host: '127.0.0.1',
      port: fake.port,
      clock: realClock,
      random: realRandom,
      log: silentLog,
    });
    const outcome = failure(client.send(ping));
    client.close();
    assert.equal((await outcome).code, 'media-down');
    assert.equal((await failure(client.send(ping))).code, 'media-down');
  });
});

describe('ng client: a node that is not there', () => {
  it('reports the closed port at once, and goes on until the deadline: rtpengine may be restarting', async (test) => {
    const { fake, client, clock, refusals } = await lab(test);
    await client.send(ping);
    await fake.stop();
    const outcome = client.send(offer);
    await until(() => refusals.length > 0);
    assert.match(refusals[0] ?? '', /ECONNREFUSED/);
    assert.equal(client.inFlight(), 1);
    const again = await startNgFake(wellBehaved, fake.port);
    test.after(() => again.stop());
    await clock.advance(250);
    assert.equal((await outcome).sdp, 'v=0\r\n');
  });

  it('works over IPv6', async (test) => {
    const fake = await startNgFake(wellBehaved, 0, '::1');
    const client = openNgClient({ host: '::1', port: fake.port, clock: realClock, random: realRandom, log: silentLog });
    test.after(async () => {
      client.close();
      await fake.stop();
    });
    assert.equal((await client.send(ping)).result, 'pong');
  });

  it('a host name that does not exist is a timeout, not an exception', async (test) => {
    const clock = createClock();
    const client = openNgClient({ host: 'nowhere.invalid', port: 22222, clock, random: realRandom, log: silentLog });
    test.after(() => client.close());
    const outcome = failure(client.send(ping));
    await settle();
    await clock.advance(1750);
    assert.equal((await outcome).code, 'media-timeout');
  });
});

describe("ng client: rtpengine's answers (law 1: no answer without SDP goes on)", () => {
  const cases: readonly (readonly [answer: object, code: ErrorCode, detail: RegExp])[] = [
    [{ result: 'error', 'error-reason': 'Ran out of ports' }, 'media-busy', /Ran out of ports/],
    [{ result: 'error', 'error-reason': 'Parallel session limit reached' }, 'media-busy', /session limit/],
    [{ result: 'load limit', message: 'CPU usage limit exceeded' }, 'media-busy', /CPU/],
    [{ result: 'error', 'error-reason': 'Unknown call-id' }, 'media-lost', /Unknown/],
    [{ result: 'error', 'error-reason': 'Unknown call-ID' }, 'media-lost', /Unknown/],
    [{ result: 'error', 'error-reason': 'Failed to parse SDP' }, 'media-refused', /Failed to parse SDP/],
    [{ result: 'error', 'error-reason': 'Incomplete SDP specification' }, 'media-refused', /Incomplete/],
    [{ result: 'error', 'error-reason': 'Invalid RTP payload types' }, 'media-refused', /Invalid/],
    [{ result: 'error' }, 'media-refused', /no reason/],
    [{ result: 'what' }, 'media-refused', /no reason/],
    [{}, 'media-refused', /no reason/],
    [{ result: 'ok' }, 'media-refused', /no SDP/],
    [{ result: 'ok', sdp: '' }, 'media-refused', /no SDP/],
    [{ result: 'ok', sdp: [1] }, 'media-refused', /no SDP/],
  ];
  for (const [answer, code, detail] of cases) {
    it(`${JSON.stringify(answer)} to an offer is ${code}`, async (test) => {
      const { client } = await lab(test, ({ cookie }, send) => send(reply(cookie, answer)));
      const thrown = await failure(client.send(offer));
      assert.equal(thrown.code, code);
      assert.match(thrown.detail, detail);
    });
  }

  it('an `ok` with a warning to a delete is an answer', async (test) => {
    const warning = "Call-ID not found or tags didn't match";
    const { client } = await lab(test, ({ cookie }, send) => send(reply(cookie, { result: 'ok', warning })));
    assert.equal((await client.send({ command: 'delete', 'call-id': 'c', 'delete-delay': 0 })).warning, warning);
  });
});

describe('ng client under loss, delay and repetition', () => {
  it('loses no command while up to three of its four datagrams are lost and answers come late and twice', async (test) => {
    const fake = await startNgFake((request, send) => {
      const number = Number(request.command.sdp);
      if (request.times <= number % 4) return;
      setTimeout(() => wellBehaved(request, send), number % 7);
      if (number % 2 === 0) wellBehaved(request, send);
    });
    const client = openNgClient({
      host: '127.0.0.1',
      port: fake.port,
      clock: realClock,
      random: realRandom,
      log: silentLog,
    });
    test.after(async () => {
      client.close();
      await fake.stop();
    });
    const numbers = Array.from({ length: 60 }, (_, number) => String(number));
    const replies = await Promise.all(
      numbers.map((sdp) => client.send({ command: 'offer', 'call-id': 'c', 'from-tag': 'a', sdp })),
    );
    assert.deepEqual(
      replies.map(({ sdp }) => sdp),
      numbers,
    );
    assert.equal(client.inFlight(), 0);
  });
});
