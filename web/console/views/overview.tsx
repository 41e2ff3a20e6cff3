/** What goes on now, in numbers and small charts; what is wrong, first; and how to make a first call. */
import type { ComponentChildren } from 'preact';
import { errors } from '../../../src/errors.ts';
import { useList } from '../answer.ts';
import type { Call, Health, Statistics } from '../answers.ts';
import { Gauge, Sparkline, Trend } from '../charts.tsx';
import { now } from '../clock.ts';
import { FirstCall } from '../first-call.tsx';
import { gauge, type Point, perSecond, recentRate } from '../history.ts';
import { Icon } from '../icons.tsx';
import { health, samples, statistics } from '../live.ts';
import { Card, Empty, Loading, type Mood, Party, Status, Trouble, Words } from '../parts.tsx';
import { hrefOf } from '../place.ts';
import { refusalsOf } from '../refusals.ts';
import { count, counted, duration, rate, share } from '../words.ts';

export function Overview() {
  const numbers = statistics.value;
  const state = health.value;
  if (numbers === undefined || state === undefined) return <Loading />;
  return (
    <>
      <Ailments health={state} statistics={numbers} />
      <Tiles numbers={numbers} />
      <FirstCall registered={numbers.registrations.bindings} answered={numbers.calls.answered} />
      <div class="cards">
        <Traffic numbers={numbers} />
        <CallsNow />
        <Parts health={state} statistics={numbers} />
        <Refused refusals={numbers.refusals} />
      </div>
    </>
  );
}

/** Each with its cure, from the table of failures. */
function Ailments({
  health: { database, media },
  statistics: { rtpengine, database: pool },
}: {
  readonly health: Health;
  readonly statistics: Statistics;
}) {
  const down = rtpengine.filter(({ state }) => state === 'down');
  return (
    <>
      {database === 'down' && (
        <Ailment title={errors['database-down'].meaning}>
          {pool.lastError !== null && `${pool.lastError} `}
          <Words text={errors['database-down'].nextStep} />
        </Ailment>
      )}
      {media === 'none' && (
        <Ailment title={errors['media-none'].meaning}>
          <Words text={errors['media-none'].nextStep} />
        </Ailment>
      )}
      {down.map(({ id, address, lastError }) => (
        <Ailment key={id} title={`The rtpengine at ${address} does not answer.`}>
          {lastError !== null && `Last error: ${lastError}. `}
          <Words text={errors['media-down'].nextStep} />
        </Ailment>
      ))}
    </>
  );
}

function Ailment({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <Trouble>
      <b>{title}</b>
      <p>{children}</p>
    </Trouble>
  );
}

function Tiles({ numbers }: { readonly numbers: Statistics }) {
  const { calls, connections, registrations, rtpengine, database } = numbers;
  const history = samples.value;
  const ports = rtpengine.flatMap((node) => (node.ports === null ? [] : [node.ports]));
  const used = ports.reduce((sum, each) => sum + each.used, 0);
  const free = ports.reduce((sum, each) => sum + each.free, 0);
  const open = Object.entries(connections).filter(([, value]) => value > 0);
  return (
    <section class="tiles" aria-label="Now">
      <Tile name="calls" label="Calls in progress" value={count(calls.inProgress)} points={gauge(history, 'calls')}>
        {calls.ringing === 0 ? 'none ringing' : `${count(calls.ringing)} ringing`}
      </Tile>
      <Tile
        name="registrations"
        label="Registered contacts"
        value={database.state === 'down' ? '–' : count(registrations.bindings)}
        points={gauge(history, 'bindings')}
      >
        {database.state === 'down' ? 'the database cannot be used' : 'can be called now'}
      </Tile>
      <Tile
        name="requests"
        label="Requests"
        unit="/s"
        value={rate(recentRate(history, 'requests'))}
        points={perSecond(history, 'requests')}
      >
        {counted(sumOf(numbers.messages.requests), 'request')} since start
      </Tile>
      <Tile
        name="answer-rate"
        label="Answered calls"
        value={share(calls.answered, calls.answered + calls.failed) ?? '–'}
        points={perSecond(history, 'answered')}
      >
        {count(calls.answered)} answered, {count(calls.failed)} failed
      </Tile>
      <Tile
        name="connections"
        label="Open connections"
        value={count(sumOf(connections))}
        points={gauge(history, 'connections')}
      >
        {open.length === 0
          ? 'no TCP, TLS or WebSocket'
          : open.map(([name, value]) => `${count(value)} ${name.toUpperCase()}`).join(', ')}
      </Tile>
      <Tile
        name="ports"
        label="Media ports"
        value={ports.length === 0 ? '–' : count(used)}
        points={gauge(history, 'portsUsed')}
      >
        {ports.length === 0 ? 'no rtpengine answers' : `of ${count(used + free)} in use`}
      </Tile>
    </section>
  );
}

interface TileProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  readonly points: readonly Point[];
  readonly children: ComponentChildren;
}

function Tile({ name, label, value, unit, points, children }: TileProps) {
  return (
    <div class="tile" data-name={name}>
      <span class="label">{label}</span>
      <b class="value">
        {value}
        {unit !== undefined && <small>{unit}</small>}
      </b>
      <span class="more">{children}</span>
      <Sparkline points={points} />
    </div>
  );
}

function Traffic({ numbers }: { readonly numbers: Statistics }) {
  const points = perSecond(samples.value, 'requests');
  const methods = Object.entries(numbers.messages.requests).sort(([, a], [, b]) => b - a);
  return (
    <Card title="SIP requests" note="per second" wide>
      <Trend
        lines={[{ points }]}
        say={(value) => `${rate(value)}/s`}
        label="Requests per second over the last five minutes"
      />
      <ul class="legend" aria-label="Since start, by method">
        {methods.slice(0, 6).map(([method, value]) => (
          <li key={method}>
            <b>{count(value)}</b> {method}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function CallsNow() {
  const { items, failed } = useList<Call>('/api/v1/calls?state=answered');
  return (
    <Card title="Calls in progress" note={<a href={hrefOf('calls')}>All calls</a>}>
      {failed !== undefined && <Trouble>{failed}</Trouble>}
      {items?.length === 0 && (
        <Empty icon="calls" title="It is quiet">
          Calls appear here the moment they are answered. <a href="/phone">Open the phone</a> to make one.
        </Empty>
      )}
      <ul class="rows">
        {items?.slice(0, 6).map((call) => (
          <li key={call.id}>
            <a href={hrefOf('calls', call.id)}>
              <Party uri={call.from} />
              <Icon name="arrow" />
              <Party uri={call.to} />
              <span class="end num">
                {duration((now.value - Date.parse(call.answeredAt ?? call.startedAt)) / 1000)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const nodeMoods: Readonly<Record<Statistics['rtpengine'][number]['state'], Mood>> = {
  up: 'good',
  down: 'bad',
  busy: 'warn',
  draining: 'quiet',
};

function Parts({
  health: { database },
  statistics: { rtpengine, database: pool, nodes },
}: {
  readonly health: Health;
  readonly statistics: Statistics;
}) {
  return (
    <Card title="What it stands on">
      <ul class="rows">
        <li>
          <span class="row">
            <span class="two">
              <b>PostgreSQL</b>
              <small>{pool.waiting === 0 ? 'nothing waits' : `${counted(pool.waiting, 'statement')} waiting`}</small>
            </span>
            <span class="end">
              <Status mood={database === 'up' ? 'good' : 'bad'}>
                {database === 'up' ? 'answers' : 'does not answer'}
              </Status>
            </span>
          </span>
        </li>
        {nodes.map(({ id, address, isSelf, silentSeconds }) => (
          <li key={id}>
            <span class="row">
              <span class="two">
                <b>Viaduct</b>
                <small>{isSelf ? `${address}, this one` : address}</small>
              </span>
              <span class="end">
                <Status mood={silentSeconds < 5 ? 'good' : 'bad'}>
                  {silentSeconds < 5 ? 'is there' : `silent for ${silentSeconds} s`}
                </Status>
              </span>
            </span>
          </li>
        ))}
        {rtpengine.map(({ id, address, state, ports }) => (
          <li key={id}>
            <span class="row">
              <span class="two">
                <b>rtpengine</b>
                <small>{address}</small>
              </span>
              <span class="end">
                {ports !== null && (
                  <Gauge
                    part={ports.used / Math.max(1, ports.used + ports.free)}
                    label={`${count(ports.used)} of ${count(ports.used + ports.free)} ports in use`}
                  />
                )}
                <Status mood={nodeMoods[state]}>{state}</Status>
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Refused({ refusals }: { readonly refusals: Statistics['refusals'] }) {
  const rows = refusalsOf(refusals);
  const most = rows[0]?.times ?? 1;
  return (
    <Card title="Refused since start" note={<a href={hrefOf('refusals')}>All refusals</a>}>
      {rows.length === 0 && (
        <Empty icon="good" title="Nothing was refused">
          When a request is refused, its reason is counted here, with what to do about it.
        </Empty>
      )}
      <ul class="bars">
        {rows.slice(0, 5).map(({ code, meaning, times }) => (
          <li key={code}>
            <span>{meaning}</span>
            <b class="num">{count(times)}</b>
            <Gauge part={times / most} label={`${count(times)} times`} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, value) => sum + value, 0);
}
