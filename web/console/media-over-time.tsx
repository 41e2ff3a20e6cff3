/** How the media of a call went, from the answer to the end: a chart for each measure, a line for each side. */
import type { Explanation } from './answers.ts';
import { type Line, lineKinds, type Period, Trend } from './charts.tsx';
import { Card } from './parts.tsx';
import { packetRate, reported, type Side, sidesOf } from './quality.ts';
import { timeOfDay } from './words.ts';

interface Measure {
  readonly title: string;
  readonly pointsOf: (overTime: Side['overTime']) => Line['points'];
  readonly say: (value: number) => string;
}

const packets: Measure = {
  title: 'Packets a second',
  pointsOf: (overTime) => packetRate(overTime.packets),
  say: (value) => `${Math.round(value)}/s`,
};

/** By RTCP. */
const byReports: readonly Measure[] = [
  {
    title: 'MOS',
    pointsOf: ({ quality }) => reported(quality, ({ mos }) => mos),
    say: (value) => value.toFixed(1),
  },
  {
    title: 'Loss in %',
    pointsOf: ({ quality }) => reported(quality, ({ lossPercent }) => lossPercent),
    say: (value) => `${Math.round(value)} %`,
  },
  {
    title: 'Jitter in ms',
    pointsOf: ({ quality }) => reported(quality, ({ jitterMs }) => jitterMs),
    say: (value) => `${Math.round(value)} ms`,
  },
  {
    title: 'Round trip in ms',
    pointsOf: ({ quality }) => reported(quality, ({ roundTripMs }) => roundTripMs),
    say: (value) => `${Math.round(value)} ms`,
  },
];

export function MediaOverTime({ explanation }: { readonly explanation: Explanation }) {
  const { call, legs } = explanation;
  if (call.answeredAt === null || !legs.some(({ media }) => media !== null)) return null;
  const sides = sidesOf(explanation).slice(0, lineKinds.length);
  const known = [packets, ...byReports]
    .map((measure) => ({ ...measure, lines: linesOf(sides, measure) }))
    .filter(({ lines }) => lines.some(({ points }) => points.length > 1));
  return (
    <Card title="Media over time" note="what each side sends, as it arrives here" wide>
      {known.length > 0 ? (
        <Charts sides={sides} known={known} period={periodOf(call)} />
      ) : (
        <p class="soft small">
          {call.state === 'answered'
            ? 'The lines begin some seconds after the answer.'
            : 'There are no lines: the call ended before there was anything to compare.'}
        </p>
      )}
    </Card>
  );
}

/** From the answer to the end, or to the last point. */
function periodOf({ answeredAt, endedAt }: Explanation['call']): Period {
  return {
    ...(answeredAt === null ? {} : { fromMs: Date.parse(answeredAt), from: timeOfDay(answeredAt) }),
    ...(endedAt === null ? { until: 'now' } : { untilMs: Date.parse(endedAt), until: timeOfDay(endedAt) }),
  };
}

interface ChartsProps {
  readonly sides: readonly Side[];
  readonly known: readonly (Measure & { readonly lines: readonly Line[] })[];
  readonly period: Period;
}

function Charts({ sides, known, period }: ChartsProps) {
  const isReported = known.some(({ title }) => title !== packets.title);
  return (
    <>
      <ul class="legend">
        {sides.map(({ name }, index) => (
          <li key={name}>
            <i class="swatch" data-line={lineKinds[index]} aria-hidden="true" /> <b>{name}</b>
          </li>
        ))}
      </ul>
      <div class="trends">
        {known.map(({ title, say, lines }) => (
          <div key={title}>
            <h3>{title}</h3>
            <Trend lines={lines} say={say} label={`${title}, over time`} period={period} />
          </div>
        ))}
      </div>
      {!isReported && (
        <p class="soft small">MOS, loss, jitter and round trip are known once both sides report them (RTCP).</p>
      )}
    </>
  );
}

function linesOf(sides: readonly Side[], { pointsOf }: Measure): readonly Line[] {
  return sides.map(({ name, overTime }) => ({ name, points: pointsOf(overTime) }));
}
