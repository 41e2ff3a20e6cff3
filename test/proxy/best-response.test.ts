import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ErrorCode } from '../../src/errors.ts';
import type { Field } from '../../src/message/build.ts';
import { values } from '../../src/message/header.ts';
import { ProxyAuthenticate, WWWAuthenticate } from '../../src/message/headers/digest.ts';
import { bestResponse, cancelledResponse, type Outcome } from '../../src/proxy/best-response.ts';
import { inWords, response } from './story.ts';

const names = 'abcdefgh';
const said = (branch: string, status: number, headers: readonly Field[] = []): Outcome => ({
  kind: 'response',
  branch,
  response: response(status, branch, headers),
});
const own = (branch: string, status: number, code: ErrorCode): Outcome => ({
  kind: 'own',
  branch,
  failure: { status, code },
});

/** A number is a response, `408 code` a failure of ours; branches are a, b, c … */
function outcomesOf(texts: readonly (number | readonly [number, ErrorCode])[]): readonly Outcome[] {
  return texts.map((text, index) => {
    const branch = names.charAt(index);
    return typeof text === 'number' ? said(branch, text) : own(branch, ...text);
  });
}

function check(texts: readonly (number | readonly [number, ErrorCode])[], expected: string): void {
  const best = bestResponse(outcomesOf(texts));
  assert.equal(best === undefined ? 'none' : inWords(best), expected, texts.join(' / '));
}

describe('which final response wins', () => {
  test('RFC 3261 §16.7 step 6: any 6xx, else the lowest class', () => {
    check([], 'none');
    check([486], 'forward a 486');
    check([404, 603], 'forward b 603');
    check([302, 600, 404], 'forward b 600');
    check([500, 404], 'forward b 404');
    check([404, 302, 500], 'forward b 302');
    check([502, 500], 'forward a 502');
  });

  test('RFC 3261 §16.7 step 6: of the 4xx first those that help to a better request', () => {
    check([486, 401], 'forward b 401');
    check([404, 407], 'forward b 407');
    for (const status of [415, 420, 484]) check([404, status], `forward b ${status}`);
    check([415, 401], 'forward b 401');
  });

  test('RFC 3261 §16.7 step 6: otherwise the first, but one that says something before one that says nothing', () => {
    check([486, 480], 'forward a 486');
    check([480, 486], 'forward a 480');
    check([408, 486], 'forward b 486');
    check([487, 486], 'forward b 486');
    check([[408, 'branch-timeout'], 487], 'forward b 487');
    check([[480, 'flow-gone'], 486], 'forward b 486');
    check(
      [
        [408, 'branch-timeout'],
        [480, 'flow-gone'],
      ],
      'respond 480 flow-gone',
    );
  });

  test('RFC 3261 §16.7 step 4: a 3xx is forwarded, not followed', () => check([302, 302], 'forward a 302'));
});

describe('503', () => {
  test('RFC 3261 §16.7 step 6: from downstream it is a 500 upstream, and only when there is nothing better', () => {
    check([503], 'respond 500 next-hop-unavailable');
    check([503, 500], 'forward b 500');
    check([503, 486], 'forward b 486');
    check([503, 503], 'respond 500 next-hop-unavailable');
  });

  test('RFC 3261 §16.7 step 6: our own stays, for it holds for every request', () => {
    check([[503, 'media-down']], 'respond 503 media-down');
    check([503, [503, 'media-none']], 'respond 503 media-none');
    check([[503, 'shutting-down']], 'respond 503 shutting-down');
  });

  test('RFC 3261 §16.9: one next hop that cannot be reached counts as a 503 from there', () => {
    check([[503, 'transport-failed']], 'respond 500 transport-failed');
    check([[503, 'no-listener']], 'respond 500 no-listener');
    check([[503, 'transport-failed'], 500], 'forward b 500');
    check(
      [
        [503, 'transport-failed'],
        [503, 'media-down'],
      ],
      'respond 503 media-down',
    );
  });
});

describe('challenges', () => {
  const www = (realm: string): Field => ['WWW-Authenticate', `Digest realm="${realm}", nonce="n"`];
  const proxy = (realm: string): Field => ['Proxy-Authenticate', `Digest realm="${realm}", nonce="n"`];
  const outcomes = [
    said('a', 486),
    said('b', 401, [www('b')]),
    said('c', 407, [proxy('c1'), proxy('c2')]),
    said('d', 404, [www('of-no-interest')]),
    said('e', 401, [www('e')]),
  ];

  test('RFC 3261 §16.7 step 7: the chosen 401 or 407 carries the challenges of all, unchanged', () => {
    const best = bestResponse(outcomes);
    assert.ok(best?.do === 'forward');
    assert.equal(best.branch, 'b');
    assert.deepEqual(values(best.response, WWWAuthenticate), [www('b')[1], www('e')[1]]);
    assert.deepEqual(values(best.response, ProxyAuthenticate), [proxy('c1')[1], proxy('c2')[1]]);
    const behind = best.response.headers.findIndex((line) => line.name === 'www-authenticate');
    assert.deepEqual(
      best.response.headers.slice(behind, behind + 4).map((line) => line.raw),
      [www('b'), proxy('c1'), proxy('c2'), www('e')].map(([name, value]) => `${name}: ${value}`),
    );
  });

  test('RFC 3261 §16.7 step 7: a response without company stays the very same', () => {
    const alone = said('b', 401, [www('b')]);
    const best = bestResponse([alone, said('a', 486)]);
    assert.ok(best?.do === 'forward' && alone.kind === 'response');
    assert.equal(best.response, alone.response);
  });

  test('RFC 3261 §16.7 step 7: other responses get no challenge', () => {
    const best = bestResponse([...outcomes, said('f', 603)]);
    assert.ok(best?.do === 'forward');
    assert.deepEqual(values(best.response, WWWAuthenticate), []);
  });

  test('RFC 3261 §16.7 step 7: a 401 that forgot its own challenge still brings the others', () => {
    const best = bestResponse([said('a', 401), said('b', 407, [proxy('b')])]);
    assert.ok(best?.do === 'forward');
    assert.deepEqual(values(best.response, ProxyAuthenticate), [proxy('b')[1]]);
  });
});

describe('after the caller’s CANCEL', () => {
  const cases: readonly (readonly [readonly (number | readonly [number, ErrorCode])[], boolean, string])[] = [
    [[], false, 'respond 487'],
    [[], true, 'respond 487'],
    [[487], true, 'forward a 487'],
    [[401, 487], true, 'forward b 487'],
    [[302, 486, 487], true, 'forward c 487'],
    [[603, 487], true, 'forward a 603'],
    [[487, 600], true, 'forward b 600'],
    [[486, 480], true, 'forward a 486'],
    [[486], false, 'respond 487'],
    [[[408, 'branch-timeout']], false, 'respond 487'],
    [[[408, 'branch-timeout'], 487], false, 'forward b 487'],
    [[503], true, 'respond 500 next-hop-unavailable'],
  ];
  for (const [texts, everyBranchAnswered, expected] of cases) {
    test(`RFC 3261 §16.10: ${JSON.stringify(texts)}, all answered: ${everyBranchAnswered}: ${expected}`, () => {
      assert.equal(inWords(cancelledResponse(outcomesOf(texts), everyBranchAnswered)), expected);
    });
  }
});
