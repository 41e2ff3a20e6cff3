/**
 * How long things took, in Prometheus' form: counts of what took at most so many seconds, their number and their sum, for
 * each set of labels. The number of these sets is bounded (law 9): what comes beyond it is counted under `other`.
 */

/** From a fast answer on loopback to the longest that anybody waits. */
export const secondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface Series {
  readonly labels: readonly string[];
  /** For each bound how many took at most so long: cumulative. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

interface Row {
  readonly labels: readonly string[];
  /** Not cumulative. */
  readonly counts: number[];
  count: number;
  sum: number;
}

const mostSeries = 200;
const separator = '\n';

export class Histogram {
  readonly labelNames: readonly string[];
  readonly bounds: readonly number[];
  readonly #rows = new Map<string, Row>();

  constructor(labelNames: readonly string[], bounds: readonly number[] = secondsBounds) {
    this.labelNames = labelNames;
    this.bounds = bounds;
  }

  observe(labels: readonly string[], seconds: number): void {
    const row = this.#row(labels);
    row.count += 1;
    row.sum += seconds;
    const at = this.bounds.findIndex((bound) => seconds <= bound);
    if (at >= 0) row.counts[at] = (row.counts[at] ?? 0) + 1;
  }

  series(): readonly Series[] {
    return [...this.#rows.values()].map((row) => {
      let sum = 0;
      const counts = this.bounds.map((_, at) => {
        sum += row.counts[at] ?? 0;
        return sum;
      });
      return { labels: row.labels, counts, count: row.count, sum: row.sum };
    });
  }

  #row(labels: readonly string[]): Row {
    const found = this.#rows.get(labels.join(separator));
    if (found !== undefined) return found;
    if (this.#rows.size < mostSeries) return this.#add(labels);
    const other = this.labelNames.map(() => 'other');
    return this.#rows.get(other.join(separator)) ?? this.#add(other);
  }

  #add(labels: readonly string[]): Row {
    const row = { labels, counts: [], count: 0, sum: 0 };
    this.#rows.set(labels.join(separator), row);
    return row;
  }
}
