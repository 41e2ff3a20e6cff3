/** Things by the id of their flow, so that a closed connection need not search them all. */
export class ByFlow<T> {
  readonly #sets = new Map<string, Set<T>>();

  add(flowId: string, thing: T): void {
    const set = this.#sets.get(flowId) ?? new Set();
    this.#sets.set(flowId, set.add(thing));
  }

  remove(flowId: string, thing: T): void {
    const set = this.#sets.get(flowId);
    set?.delete(thing);
    if (set?.size === 0) this.#sets.delete(flowId);
  }

  all(): readonly T[] {
    return [...this.#sets.values()].flatMap((set) => [...set]);
  }

  /** As they are now: what happens to one may remove it. */
  of(flowId: string): readonly T[] {
    return [...(this.#sets.get(flowId) ?? [])];
  }
}
