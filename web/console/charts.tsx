/**
 * Small charts as SVG of our own. They scale with their box; lines keep their width. What a chart shows stands as a
 * number beside it, so that it is an ornament for a screen reader.
 */
import { useState } from 'preact/hooks';
import { HISTORY_MS, type Point } from './history.ts';
import { count, span, timeOfDay } from './words.ts';

const WIDTH = 300;
/** A chart of a page that has just been opened begins with this, and grows up to the whole history. */
const SHORTEST_MS = 6_000;

interface Frame {
  readonly fromMs: number;
  readonly lastsMs: number;
  readonly top: number;
  readonly height: number;
}

/** A line with its ground filled, over the last minutes. */
export function Sparkline({ points }: { readonly points: readonly Point[] }) {
  const height = 44;
  const frame = frameOf(points, height);
  const line = pathOf(points, frame);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {line !== '' && <path class="ground" d={closed(line, points, frame)} />}
      <path class="line" d={line === '' ? `M0 ${height - 1}H${WIDTH}` : line} />
    </svg>
  );
}

/** How the lines of a chart look, in their order: told apart without colour, too. */
export const lineKinds = ['full', 'dashed'] as const;

export interface Line {
  /** Absent: it is the only one. */
  readonly name?: string;
  readonly points: readonly Point[];
}

/** What a chart spans, and what stands at its ends. */
export interface Period {
  readonly fromMs?: number;
  readonly untilMs?: number;
  readonly from?: string;
  readonly until?: string;
}

interface TrendProps {
  readonly lines: readonly Line[];
  /** Absent: the last minutes. */
  readonly period?: Period;
  /** As in `12 requests/s`. */
  readonly say: (value: number) => string;
  readonly label: string;
}

/** The large one: with a scale, times, and the values where the pointer is. */
export function Trend({ lines, say, label, period }: TrendProps) {
  const [at, setAt] = useState<number | undefined>(undefined);
  const height = 160;
  const all = lines.flatMap(({ points }) => points).sort((a, b) => a.atMs - b.atMs);
  const top = niceTop(Math.max(0, ...all.map(({ value }) => value)));
  const frame = period === undefined ? frameOf(all, height, top) : { ...spanOf(all, period), height, top };
  const marks = at === undefined ? [] : marksOf(lines, frame.fromMs + at * frame.lastsMs);
  return (
    <figure class="trend">
      <figcaption class="sr-only">{label}</figcaption>
      <div class="trend-scale" aria-hidden="true">
        {[1, 0.5, 0].map((part) => (
          <span key={part}>{scaleText(frame.top * part)}</span>
        ))}
      </div>
      <div class="trend-plot" onPointerMove={(event) => setAt(partOf(event))} onPointerLeave={() => setAt(undefined)}>
        <svg viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" aria-hidden="true">
          {[0, 0.5, 1].map((part) => (
            <path key={part} class="rule" d={`M0 ${1 + part * (height - 2)}H${WIDTH}`} />
          ))}
          {lines.map(({ name, points }, index) => (
            <Drawn key={name} points={points} frame={frame} kind={lineKinds[index % lineKinds.length]} />
          ))}
        </svg>
        <Marks marks={marks} frame={frame} say={say} />
      </div>
      <div class="trend-times" aria-hidden="true">
        <span>{period?.from ?? `${span(frame.lastsMs / 1000)} ago`}</span>
        <span>{period?.until ?? 'now'}</span>
      </div>
    </figure>
  );
}

interface DrawnProps {
  readonly points: readonly Point[];
  readonly frame: Frame;
  readonly kind: (typeof lineKinds)[number] | undefined;
}

function Drawn({ points, frame, kind }: DrawnProps) {
  const line = pathOf(points, frame);
  if (line === '') return null;
  return (
    <>
      {kind === 'full' && <path class="ground" d={closed(line, points, frame)} />}
      <path class="line" data-line={kind} d={line} />
    </>
  );
}

interface Marked {
  readonly name: string | undefined;
  readonly point: Point;
}

/** What each line has nearest to this time. */
function marksOf(lines: readonly Line[], atMs: number): readonly Marked[] {
  return lines.flatMap(({ name, points }) => {
    const point = nearest(points, atMs);
    return point === undefined ? [] : [{ name, point }];
  });
}

interface MarksProps {
  readonly marks: readonly Marked[];
  readonly frame: Frame;
  readonly say: (value: number) => string;
}

function Marks({ marks, frame, say }: MarksProps) {
  const [first] = marks;
  if (first === undefined) return null;
  const left = (100 * (first.point.atMs - frame.fromMs)) / frame.lastsMs;
  const words = marks.map(({ name, point }) => `${name === undefined ? '' : `${name} `}${say(point.value)}`);
  return (
    <div class="mark" data-side={left > 60 ? 'left' : 'right'} style={{ left: `${left}%` }}>
      {marks.map(({ name, point }) => (
        <i key={name} style={{ top: `${(100 * y(point, frame)) / frame.height}%` }} />
      ))}
      <span>{[...words, timeOfDay(first.point.atMs)].join(' · ')}</span>
    </div>
  );
}

/** How much of something is used. */
export function Gauge({ part, label }: { readonly part: number; readonly label: string }) {
  const percent = Math.min(100, Math.max(0, 100 * part));
  return (
    <span class="gauge" role="img" aria-label={label} data-full={percent > 85}>
      <span class="fill" style={{ width: `${percent > 0 ? Math.max(1.5, percent) : 0}%` }} />
    </span>
  );
}

function frameOf(points: readonly Point[], height: number, top?: number): Frame {
  const untilMs = points.at(-1)?.atMs ?? 0;
  const highest = Math.max(...points.map(({ value }) => value), 0);
  const lastsMs = Math.min(HISTORY_MS, Math.max(SHORTEST_MS, untilMs - (points[0]?.atMs ?? 0)));
  return { fromMs: untilMs - lastsMs, lastsMs, top: top ?? Math.max(highest * 1.15, 1), height };
}

/** rtpengine tells the time of a report in whole seconds: one may lie before the answer. */
function spanOf(points: readonly Point[], { fromMs, untilMs }: Period): Pick<Frame, 'fromMs' | 'lastsMs'> {
  const times = points.map(({ atMs }) => atMs);
  const beginsMs = Math.min(fromMs ?? Number.POSITIVE_INFINITY, ...times);
  const endsMs = Math.max(untilMs ?? 0, ...times);
  return { fromMs: beginsMs, lastsMs: Math.max(endsMs - beginsMs, 1) };
}

function pathOf(points: readonly Point[], frame: Frame): string {
  if (points.length < 2) return '';
  return points
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${x(point, frame).toFixed(1)} ${y(point, frame).toFixed(1)}`)
    .join('');
}

function closed(line: string, points: readonly Point[], frame: Frame): string {
  const [first] = points;
  return first === undefined ? '' : `${line}V${frame.height}H${x(first, frame).toFixed(1)}z`;
}

function x({ atMs }: Point, { fromMs, lastsMs }: Frame): number {
  return (WIDTH * (atMs - fromMs)) / lastsMs;
}

function y({ value }: Point, { top, height }: Frame): number {
  return height - 1 - (value / top) * (height - 2);
}

/** The next of 1, 2, 5, 10, 20, … */
function niceTop(highest: number): number {
  if (highest <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return power * (([1, 2, 5, 10] as const).find((step) => step * power >= highest) ?? 10);
}

function scaleText(value: number): string {
  return value >= 10 || Number.isInteger(value) ? count(value) : value.toFixed(1);
}

function nearest(points: readonly Point[], atMs: number): Point | undefined {
  return points.reduce<Point | undefined>(
    (best, point) => (best === undefined || Math.abs(point.atMs - atMs) < Math.abs(best.atMs - atMs) ? point : best),
    undefined,
  );
}

function partOf(event: PointerEvent): number | undefined {
  if (!(event.currentTarget instanceof Element)) return undefined;
  const { left, width } = event.currentTarget.getBoundingClientRect();
  return width === 0 ? undefined : (event.clientX - left) / width;
}
