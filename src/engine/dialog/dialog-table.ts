/**
 * The dialog records in memory, found by Call-ID, tags and token, by flow and by binding. A table, no rules.
 */
import type { Binding, DialogRecord, DialogSide } from '../../ports.ts';

export class DialogTable {
  /** By Call-ID; a forked INVITE that was answered twice has two, and so has a call that passes us twice. */
  readonly #records = new Map<string, readonly DialogRecord[]>();
  /** Call-IDs by flow and by binding, so that neither a REGISTER nor a closed connection searches all calls. */
  readonly #index = new Map<string, Set<string>>();

  get size(): number {
    return this.#records.size;
  }

  all(): readonly DialogRecord[] {
    return [...this.#records.values()].flat();
  }

  /** Tags in either order; without a token any pass. A record of before tokens were noted has none, and is found by any. */
  find(callId: string, oneTag: string, otherTag: string, token: string | undefined): DialogRecord | undefined {
    const dialogs = this.#records.get(callId)?.filter((record) => isOf(record, oneTag, otherTag)) ?? [];
    if (token === undefined) return dialogs[0];
    return dialogs.find((record) => record.token === token) ?? dialogs.find((record) => record.token === '');
  }

  /** The Call-ID that came first. */
  oldest(): readonly DialogRecord[] {
    const [first] = this.#records.values();
    return first ?? [];
  }

  has(record: DialogRecord): boolean {
    return this.#records.get(record.callId)?.includes(record) === true;
  }

  byFlow(flowId: string): readonly DialogRecord[] {
    return this.#lookup(flowName(flowId));
  }

  /** Whether a party of a call registered under this address. */
  hasAor(aor: string): boolean {
    return this.#index.has(aorName(aor));
  }

  byBinding(binding: Pick<Binding, 'aor' | 'key'>): readonly DialogRecord[] {
    return this.#lookup(bindingName(binding));
  }

  /** Adds it, or takes the place of the one with its tags and token. */
  put(record: DialogRecord): void {
    const all = this.#records.get(record.callId) ?? [];
    const old = all.find((one) => isSame(one, record));
    // Each request of a dialog changes its CSeq, and hardly one its places.
    if (old !== undefined && isAtSamePlaces(old, record)) {
      this.#records.set(
        record.callId,
        all.map((one) => (one === old ? record : one)),
      );
      return;
    }
    if (old !== undefined) this.remove(old);
    this.#records.set(record.callId, [...(this.#records.get(record.callId) ?? []), record]);
    for (const name of namesOf(record)) {
      const callIds = this.#index.get(name) ?? new Set();
      this.#index.set(name, callIds.add(record.callId));
    }
  }

  remove(record: DialogRecord): void {
    const all = this.#records.get(record.callId) ?? [];
    const old = all.find((one) => isSame(one, record));
    if (old === undefined) return;
    const rest = all.filter((one) => one !== old);
    if (rest.length > 0) this.#records.set(record.callId, rest);
    else this.#records.delete(record.callId);
    const stillNamed = new Set(rest.flatMap(namesOf));
    for (const name of namesOf(old)) if (!stillNamed.has(name)) this.#unname(name, record.callId);
  }

  #lookup(name: string): readonly DialogRecord[] {
    const callIds = [...(this.#index.get(name) ?? [])];
    return callIds.flatMap((callId) => this.#records.get(callId) ?? []).filter((one) => namesOf(one).includes(name));
  }

  #unname(name: string, callId: string): void {
    const callIds = this.#index.get(name);
    callIds?.delete(callId);
    if (callIds?.size === 0) this.#index.delete(name);
  }
}

function isOf({ caller, callee }: DialogRecord, oneTag: string, otherTag: string): boolean {
  return caller.tag === oneTag ? callee.tag === otherTag : callee.tag === oneTag && caller.tag === otherTag;
}

function isSame(one: DialogRecord, { token, caller, callee }: DialogRecord): boolean {
  return one.token === token && isOf(one, caller.tag, callee.tag);
}

function isAtSamePlaces(one: DialogRecord, other: DialogRecord): boolean {
  return isAtSamePlace(one.caller, other.caller) && isAtSamePlace(one.callee, other.callee);
}

function isAtSamePlace(one: DialogSide, other: DialogSide): boolean {
  const { aor, key } = one.binding ?? {};
  return one.flowId === other.flowId && aor === other.binding?.aor && key === other.binding?.key;
}

function namesOf(record: DialogRecord): readonly string[] {
  return [...sideNames(record.caller), ...sideNames(record.callee)];
}

function sideNames({ flowId, binding }: DialogSide): readonly string[] {
  const flow = flowId === undefined ? [] : [flowName(flowId)];
  return binding === undefined ? flow : [...flow, bindingName(binding), aorName(binding.aor)];
}

const flowName = (flowId: string): string => `flow ${flowId}`;
const aorName = (aor: string): string => `aor ${aor}`;
const bindingName = ({ aor, key }: Pick<Binding, 'aor' | 'key'>): string => `binding ${aor}\n${key}`;
