import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Alias } from '../../../src/ports.ts';
import { serverKinds, withDatabase } from '../../support/postgres.ts';

const domain = 'example.com';
const rule = (prefix: string, digits: number, hasRest: boolean, target: string): Alias => ({
  domain,
  prefix,
  digits,
  hasRest,
  target,
});

for (const kind of serverKinds) {
  describe(`aliases, ${kind}`, () => {
    test('a called name is an account, or else the best rule: longest prefix, most digits, none behind them', async () => {
      await withDatabase({ kind }, async ({ subscribers, aliases }) => {
        await subscribers.add('alice', domain, 'x');
        await subscribers.add('bob', domain, 'x');
        await subscribers.setDisabled('bob', domain, true);
        const rules = [
          rule('', 0, true, 'all'),
          rule('0', 0, true, 'out'),
          rule('00', 0, true, 'abroad'),
          rule('00', 2, false, 'short'),
          rule('00', 2, true, 'long'),
          rule('alice', 0, false, 'never'),
          rule('bob', 0, false, 'stand-in'),
          rule('m\u00c3\u00bcller', 0, false, 'm'),
        ];
        for (const one of rules) await aliases.put(one);
        const called = async (name: string, at = domain): Promise<string | undefined> => {
          const found = await subscribers.callee(name, at);
          return found !== undefined && 'target' in found ? found.target : found?.username;
        };
        const names = [
          'alice',
          'bob',
          '7',
          '01',
          '001',
          '0012',
          '00123',
          'm\u00c3\u00bcller',
          '0x',
          '',
          `0${'1'.repeat(99)}`,
        ];
        assert.deepEqual(await Promise.all(names.map((name) => called(name))), [
          ...['alice', 'stand-in', 'all', 'out', 'abroad', 'short', 'long', 'm'],
          undefined,
          undefined,
          'out',
        ]);
        assert.equal(await called('01', 'EXAMPLE.com'), 'out');
        assert.equal(await called('01', 'example.org'), undefined);
        assert.deepEqual(await subscribers.callee('001', domain), rule('00', 0, true, 'abroad'));
      });
    });

    test('rules are changed, listed by page and removed', async () => {
      await withDatabase({ kind }, async ({ aliases }) => {
        const [first, second, third] = [rule('0', 0, true, 'x'), rule('0', 1, false, 'x'), rule('1', 0, false, 'x')];
        for (const one of [third, first, second]) await aliases.put(one);
        await aliases.put({ ...second, target: 'other' });
        assert.deepEqual(await aliases.page(2), [first, { ...second, target: 'other' }]);
        assert.deepEqual(await aliases.page(2, second), [third]);
        assert.equal(await aliases.remove(first), true);
        assert.equal(await aliases.remove(first), false);
        assert.deepEqual(await aliases.page(1), [{ ...second, target: 'other' }]);
      });
    });
  });
}
