/**
 * Kamailio's table `location` as registrations here: what a telephone registered there is called here until it registers
 * again. Planned row by row, written where nothing of it is here yet.
 */

import { fromDatabase } from '../../adapters/postgres/text.ts';
import { aorOf } from '../../auth/identity.ts';
import type { Binding, ContactLimit, LocationStore } from '../../ports.ts';
import { isAccountName } from './accounts.ts';
import { type Here, type Left, registrationOf } from './contact-row.ts';
import type { Outcome } from './outcome.ts';
import type { LocationRow } from './tables.ts';

export interface RegistrationContext {
  readonly location: Pick<LocationStore, 'lookup' | 'change'>;
  readonly here: Here;
  readonly limit: Omit<ContactLimit, 'closedFlows'>;
  readonly defaultDomain: string;
  /** An account of this name, as SIP text, is here, or will be. */
  isAccount(username: string, domain: string): Promise<boolean>;
}

/** Addresses that are written at once: the store makes one statement of them. */
const atOnce = 200;

type Remark = readonly [name: string, remark: string];

/** What became of one row. */
type Fate = 'taken' | Left;

export async function takeOverRegistrations(
  rows: readonly LocationRow[],
  isDry: boolean,
  context: RegistrationContext,
): Promise<Outcome> {
  const byAddress = [...Map.groupBy(rows, (row) => nameOf(row, context)).values()];
  const fates: (readonly [row: LocationRow, fate: Fate])[] = [];
  for (let from = 0; from < byAddress.length; from += atOnce) {
    const some = byAddress.slice(from, from + atOnce).map((own) => takeOverAddress(own, isDry, context));
    fates.push(...(await Promise.all(some)).flat());
  }
  const remarks = fates.flatMap(([row, fate]) => remarkOf(nameOf(row, context), row, fate));
  const taken = fates.filter(([, fate]) => fate === 'taken').map(([row]) => row);
  return { remarks, taken: taken.length, rows: rows.length, notes: notesOf(fates, taken, rows, context.here) };
}

/** All of one address, which come newest first. */
async function takeOverAddress(rows: readonly LocationRow[], isDry: boolean, context: RegistrationContext) {
  const plans = await planAddress(rows, context);
  const fates = new Map<LocationRow, Fate>();
  // The one written last counts as the newest here.
  for (const [row, plan] of plans.toReversed()) {
    fates.set(row, 'left' in plan ? plan : isDry ? 'taken' : await write(plan, context));
  }
  return plans.map(([row]) => [row, fates.get(row) ?? 'taken'] as const);
}

type Plan = readonly [row: LocationRow, plan: Binding | Left];

async function planAddress(rows: readonly LocationRow[], context: RegistrationContext): Promise<readonly Plan[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const { username, domain } = accountOf(first, context);
  if (!isAccountName(first.username) || !(await context.isAccount(username, domain))) {
    const why = { left: 'refused', why: 'there is no such account here' } as const;
    return rows.map((row) => [row, isOver(row, context) ?? why]);
  }
  const aor = aorOf({ username, domain });
  const known = new Set((await context.location.lookup(aor)).map(({ key }) => key));
  return rows.map((row) => [row, planned(registrationOf(row, aor, context.here), known, context)]);
}

/** What is over needs no account. */
function isOver(row: LocationRow, { here }: RegistrationContext): Left | undefined {
  const outcome = registrationOf(row, 'sip:nobody', here);
  return 'left' in outcome && outcome.left !== 'refused' ? outcome : undefined;
}

const stays = { left: 'refused', why: 'it is here already, and stays as it is' } as const;
const tooMany = { left: 'refused', why: 'the address has as many devices as MAX_CONTACTS allows' } as const;

/** `known`: the devices of the address so far, by key; grows. */
function planned(found: Binding | Left, known: Set<string>, { limit }: RegistrationContext): Binding | Left {
  if ('left' in found) return found;
  if (known.has(found.key)) return stays;
  if (known.size >= limit.contacts) return tooMany;
  known.add(found.key);
  return found;
}

/** What a device has said here meanwhile is not undone. */
async function write(binding: Binding, { location, limit }: RegistrationContext): Promise<Fate> {
  const { aor, callId, cseq } = binding;
  const change = { aor, callId, cseq, save: [binding], remove: [], limit: { ...limit, closedFlows: [] } };
  const { outcome } = await location.change(change);
  if (outcome === 'stored') return 'taken';
  return outcome === 'too-many' ? tooMany : stays;
}

function accountOf(row: LocationRow, { defaultDomain }: RegistrationContext) {
  return { username: fromDatabase(row.username), domain: (row.domain ?? '').toLowerCase() || defaultDomain };
}

function nameOf(row: LocationRow, context: RegistrationContext): string {
  return `${row.username}@${accountOf(row, context).domain}`;
}

function remarkOf(name: string, { contact }: LocationRow, fate: Fate): readonly Remark[] {
  return fate === 'taken' || fate.left !== 'refused' ? [] : [[`${name} ${contact}`, `not taken: ${fate.why}`]];
}

/** What most rows have in common is said once. */
function notesOf(
  fates: readonly (readonly [LocationRow, Fate])[],
  taken: readonly LocationRow[],
  rows: readonly LocationRow[],
  { nowMs, timeOf }: Here,
): readonly string[] {
  const count = (left: Left['left']): number =>
    fates.filter(([, fate]) => fate !== 'taken' && fate.left === left).length;
  const [connections, expired] = [count('connection'), count('expired')];
  const sockets = new Set(taken.filter(({ received, path }) => received && !path).map(({ socket }) => socket));
  const isAhead = rows.some(({ last_modified }) => timeOf(last_modified) > nowMs + aheadMs);
  const notes: string[] = [];
  if (connections > 0) {
    notes.push(
      `${connections} came over connections (TCP, TLS, WebSocket), which end with Kamailio: those devices register again.`,
    );
  }
  if (expired > 0) notes.push(`${expired} had expired, in the time zone of this host.`);
  if (sockets.size > 0) {
    notes.push(
      `Those behind NAT came to ${[...sockets].join(', ')}, and hear a call from there only, while their NAT keeps the way open:`,
      'stop Kamailio and start Viaduct soon. Its start is what sends them keep-alives.',
    );
  }
  if (isAhead)
    notes.push(
      'Some were changed in the future: if Kamailio has another time zone, run TZ=Europe/Berlin npx viaduct …',
    );
  return notes;
}

/** Two clocks may differ by this much. */
const aheadMs = 120_000;
