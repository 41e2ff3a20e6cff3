/**
 * The torture messages of RFC 4475 and RFC 5118 through the running proxy: who gets what, that nothing is left behind,
 * and that what goes on is what came (law 7).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get } from '../../src/message/header.ts';
import { sentByPort, Via } from '../../src/message/headers/via.ts';
import { parseMessage } from '../../src/message/scan.ts';
import { type Torture, textOf, torture } from '../message/torture/table.ts';
import type { Agent } from '../support/agent.ts';
import { createProxyScene, type ProxyScene, quietMs } from '../support/proxy-scene.ts';

const far = '192.0.2.99';
/** Registered here, each at an address of its own. */
const telephones = [
  { name: 'user', address: '192.0.2.97' },
  { name: 'UserB', address: '192.0.2.98' },
] as const;
const hosts = ['registrar.example.com', 'example.net', 'example.org', 'company.com', 'services.example.com'];
/** IPv6 senders write to the one, the others to the other. */
const listen = ['udp:192.0.2.100:5060', 'udp:[2001:db8::10]:5060', 'tcp:192.0.2.100:5060'];
/** What our Via, the media and the hop count change; everything else leaves as it came. */
const changed = /^(via|v|max-forwards|record-route|route|content-length|l|content-type|c|proxy-authorization)\s*:/i;

function create({ untrusted }: Torture): ProxyScene {
  const addresses = Object.fromEntries(hosts.map((host) => [host, [far]]));
  return createProxyScene({
    columns: ['sender', 'proxy', 'far'],
    users: ['user', 'UserB', 'j.user'],
    names: { addresses },
    listen,
    isTrusted: () => untrusted !== true,
  });
}

/** The sender stands where its Via says that it is reached. */
function senderOf(it: ProxyScene, text: string, received: (text: string) => void) {
  const ip6 = text.includes('2001:db8::9:1') || text.includes('2001:db8::20');
  const address = ip6 ? '2001:db8::9:1' : '192.0.2.77';
  const message = parseMessage(text);
  const request = message.kind === 'unparsable' ? message.request : message;
  const via = request && get(request, Via);
  const port = via === undefined ? 5060 : sentByPort(via);
  return it.network.station({
    name: 'sender',
    transport: 'udp',
    address: { address, port },
    listener: ip6 ? 1 : 0,
    received,
  });
}

for (const row of torture) {
  test(`${row.section}: ${row.what}: ${row.outcome}`, async () => {
    const it = create(row);
    await it.play(async () => {
      const phones = await Promise.all(telephones.map((telephone) => it.registered(telephone)));
      const others = [...phones, it.agent({ name: 'far', address: far })];
      const text = textOf(row);
      const answers: string[] = [];
      const onward: string[] = [];
      it.network.watch(({ from, to, text: passed }) => {
        if (from === 'proxy' && to !== 'sender') onward.push(passed);
      });
      const sender = senderOf(it, text, (answer) => answers.push(answer));
      sender.send(text);
      await it.clock.advance(250);
      const statuses = answers.map((answer) => Number(/^SIP\/2\.0 (\d+)/.exec(answer)?.[1]));
      assertOutcome(row, statuses, onward);
      if (row.outcome === 'forwarded') assertUnchanged(text, onward[0] ?? '');
      for (const other of others) refuseAll(other);
      await it.clock.advance(quietMs);
    });
  });
}

function refuseAll(agent: Agent): void {
  for (const message of agent.inbox) {
    if (message.kind === 'request' && message.method !== 'ACK') agent.respond(message, 486);
  }
}

function assertOutcome({ outcome }: Torture, statuses: readonly number[], onward: readonly string[]): void {
  if (outcome === 'forwarded') {
    assert.ok(onward.length > 0, `not forwarded, but answered ${statuses.join()}`);
    return;
  }
  assert.deepEqual(onward, []);
  assert.deepEqual(statuses, outcome === 'dropped' ? [] : [outcome]);
}

function assertUnchanged(before: string, after: string): void {
  const [was, is] = [headerLines(before), headerLines(after)];
  for (const line of was) if (!changed.test(line)) assert.ok(is.includes(line), `changed or gone: ${line}`);
}

function headerLines(text: string): readonly string[] {
  const message = parseMessage(text);
  assert.ok(message.kind !== 'unparsable');
  return message.headers.map(({ raw }) => raw);
}
