/** How the media of a call went while this page was open: a chart for each measure, a line for each side. */
import { useEffect, useState } from 'preact/hooks';
import type { Explanation } from './answers.ts';
import { type Line, lineKinds, Trend } from './charts.tsx';
import { Card } from './parts.tsx';
import {
  type MediaHistory,
  type MediaSample,
  measured,
  packetRate,
  rememberMedia,
  type SideHistory,
} from './quality.ts';

export function useMediaHistory(explanation: Explanation | undefined): MediaHistory {
  const [history, setHistory] = useState<MediaHistory>(new Map());
  useEffect(() => {
    if (explanation !== undefined) setHistory((known) => rememberMedia(known, explanation, Date.now()));
  }, [explanation]);
  return history;
}

interface Measure {
  readonly title: string;
  readonly pointsOf: (samples: readonly MediaSample[]) => Line['points'];
  readonly say: (value: number) => string;
}

const packets: Measure = { title: 'Packets a second', pointsOf: packetRate, say: (value) => `${Math.round(value)}/s` };

/** By RTCP. */
const reported: readonly Measure[] = [
  {
    title: 'Loss in %',
    pointsOf: (samples) => measured(samples, ({ lossPercent }) => lossPercent),
    say: (value) => `${value.toFixed(1)} %`,
  },
  {
    title: 'Jitter in ms',
    pointsOf: (samples) => measured(samples, ({ jitterMs }) => jitterMs),
    say: (value) => `${Math.round(value)} ms`,
  },
  {
    title: 'Round trip in ms',
    pointsOf: (samples) => measured(samples, ({ roundTripMs }) => roundTripMs),
    say: (value) => `${Math.round(value)} ms`,
  },
];

interface MediaOverTimeProps {
  readonly explanation: Explanation;
  readonly history: MediaHistory;
}

export function MediaOverTime({ explanation: { call, legs }, history }: MediaOverTimeProps) {
  if (!legs.some(({ media }) => media !== null)) return null;
  const sides = [...history.values()].slice(0, lineKinds.length);
  return (
    <Card title="Media over time" note="what each side sends, as it arrives here" wide>
      {sides.some(({ samples }) => samples.length > 1) ? (
        <Charts sides={sides} />
      ) : (
        <p class="soft small">
          {call.state === 'answered'
            ? 'The lines begin in a few seconds, and grow while this page is open.'
            : 'The lines are drawn while this page is open during a call. What is left of this one are the numbers above.'}
        </p>
      )}
    </Card>
  );
}

function Charts({ sides }: { readonly sides: readonly SideHistory[] }) {
  const known = [packets, ...reported]
    .map((measure) => ({ ...measure, lines: linesOf(sides, measure) }))
    .filter(({ lines }) => lines.some(({ points }) => points.length > 1));
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
            <Trend lines={lines} say={say} label={`${title}, over time`} />
          </div>
        ))}
      </div>
      <p class="soft small">
        {isReported
          ? 'Loss, jitter and round trip are averages of the call so far, as RTCP reports them.'
          : 'Loss, jitter and round trip are known once both sides report them (RTCP).'}
      </p>
    </>
  );
}

function linesOf(sides: readonly SideHistory[], { pointsOf }: Measure): readonly Line[] {
  return sides.map(({ name, samples }) => ({ name, points: pointsOf(samples) }));
}
