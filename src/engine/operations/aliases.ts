/** What REST may ask and change of aliases and dial rules. JSON is Unicode, SIP text the bytes of its UTF-8. */
import { Failure } from '../../errors.ts';
import { lower } from '../../message/ascii.ts';
import type { Alias } from '../../ports.ts';
import { isTarget, parsePattern, printPattern } from '../../proxy/dial-rule.ts';
import { readable } from '../../story/readable.ts';
import type { Core } from '../core.ts';
import type { AliasSummary, Operations } from '../operations.ts';
import { encode } from './subscribers.ts';

type AliasOperations = Pick<Operations, 'aliases' | 'setAlias' | 'removeAlias'>;
type Key = Omit<Alias, 'target'>;

export function aliasOperations({ ports, domains }: Core): AliasOperations {
  const { aliases } = ports;
  const keyOf = (text: string): Key => aliasKey(encode(text), domains.first);
  return {
    aliases: async ({ limit, after }) => {
      const found = await aliases.page(limit, after === undefined ? undefined : keyOf(after));
      const items = found.map(summary);
      const last = items.at(-1);
      const next = last === undefined || found.length < limit ? undefined : `${last.pattern}@${last.domain}`;
      return { items, next };
    },
    setAlias: async (pattern, to) => {
      const key = keyOf(pattern);
      if (!domains.isDomain(key.domain)) throw new Failure('malformed', `${key.domain} is not served here.`);
      const target = encode(to);
      if (!isTarget(target))
        throw new Failure('malformed', 'A target is a name, or a SIP URI such as sip:*@192.0.2.1.');
      await aliases.put({ ...key, target });
      return summary({ ...key, target });
    },
    removeAlias: (pattern) => aliases.remove(keyOf(pattern)),
  };
}

/** `0049*@example.com`, or `0049*` in the first domain. */
export function aliasKey(text: string, firstDomain: string): Key {
  const at = text.lastIndexOf('@');
  const pattern = parsePattern(at < 0 ? text : text.slice(0, at));
  const domain = lower(at < 0 ? firstDomain : text.slice(at + 1));
  if (pattern === undefined || domain === '')
    throw new Failure('malformed', 'A pattern looks like alice.smith or 0049*.');
  return { domain, ...pattern };
}

function summary({ target, domain, ...pattern }: Alias): AliasSummary {
  return { pattern: readable(printPattern(pattern)), domain: readable(domain), target: readable(target) };
}
