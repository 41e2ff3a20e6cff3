/**
 * Reads what Prometheus reads, as strictly as its documentation says
 * (https://prometheus.io/docs/instrumenting/exposition_formats/): fails on the first line that is not right.
 */
import assert from 'node:assert/strict';

export interface ReadSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly type: string;
  readonly help: string;
  /** By name of the sample, which for a histogram has a suffix. */
  readonly samples: ReadonlyMap<string, readonly ReadSample[]>;
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;

export function readPrometheus(text: string): ReadonlyMap<string, ReadFamily> {
  assert.ok(text.endsWith('\n'), 'the last line ends, too');
  const families = new Map<string, ReadFamily & { readonly samples: Map<string, ReadSample[]> }>();
  let name = '';
  let help = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, ofName = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') help = rest;
    else if (kind === 'TYPE') {
      assert.match(ofName, metricName);
      assert.ok(!families.has(ofName), `${ofName} comes twice`);
      name = ofName;
      families.set(name, { type: rest, help, samples: new Map() });
    } else addSample(families.get(name), name, line);
  }
  for (const [each, family] of families) checkFamily(each, family);
  return families;
}

function addSample(
  family: { readonly type: string; readonly samples: Map<string, ReadSample[]> } | undefined,
  name: string,
  line: string,
): void {
  const [, own = '', labels = '', value = ''] = sampleLine.exec(line) ?? [];
  assert.ok(family !== undefined && own !== '', `no sample of a family: ${line}`);
  const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  assert.ok(
    suffixes.some((suffix) => own === name + suffix),
    `${own} stands among ${name}`,
  );
  const number = value === '+Inf' ? Infinity : Number(value);
  assert.ok(value === 'NaN' || !Number.isNaN(number), line);
  const samples = family.samples.get(own) ?? [];
  family.samples.set(own, samples);
  samples.push({ labels: readLabels(labels), value: number });
}

function readLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  while (labelPair.lastIndex < text.length) {
    const [, name = '', value = ''] = labelPair.exec(text) ?? assert.fail(`no labels: ${text}`);
    assert.ok(!(name in labels), `${name} comes twice: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return labels;
}

/** Naming: https://prometheus.io/docs/practices/naming/ */
function checkFamily(name: string, { type, help, samples }: ReadFamily): void {
  assert.match(type, /^(counter|gauge|histogram)$/, name);
  assert.notEqual(help, '', name);
  assert.equal(name.endsWith('_total'), type === 'counter', `${name}: only counters end with _total`);
  assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|mb)(_|$)/, `${name}: base units`);
  const seen = [...samples].flatMap(([own, all]) => all.map(({ labels }) => `${own} ${JSON.stringify(labels)}`));
  assert.equal(new Set(seen).size, seen.length, `${name}: the same labels come twice`);
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: ReadFamily['samples']): void {
  const buckets = Map.groupBy(samples.get(`${name}_bucket`) ?? [], ({ labels: { le: _, ...own } }) =>
    JSON.stringify(own),
  );
  for (const { labels, value } of samples.get(`${name}_count`) ?? []) {
    const own = buckets.get(JSON.stringify(labels)) ?? [];
    assert.equal(own.at(-1)?.labels.le, '+Inf', `${name}: the last bucket has all`);
    assert.equal(own.at(-1)?.value, value, `${name}: as many as _count says`);
    const values = own.map((each) => each.value);
    assert.deepEqual(
      values,
      [...values].sort((a, b) => a - b),
      `${name}: cumulative`,
    );
  }
}
