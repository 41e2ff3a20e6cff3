/** The rtpengine nodes: whether they answer, and how full they are. */
import { errors } from '../../../src/errors.ts';
import type { MediaNode } from '../answers.ts';
import { Gauge } from '../charts.tsx';
import { statistics } from '../live.ts';
import { Empty, Loading, type Mood, Status } from '../parts.tsx';
import { count } from '../words.ts';

const moods: Readonly<Record<MediaNode['state'], Mood>> = { up: 'good', down: 'bad', busy: 'warn', draining: 'quiet' };
const meanings: Readonly<Record<MediaNode['state'], string>> = {
  up: 'takes new calls',
  down: 'does not answer',
  busy: 'has no room for new calls',
  draining: 'keeps its calls, takes no new ones',
};

export function Nodes() {
  const nodes = statistics.value?.rtpengine;
  if (nodes === undefined) return <Loading />;
  if (nodes.length === 0) {
    return (
      <div class="card">
        <Empty icon="media" title="No rtpengine">
          {errors['media-none'].nextStep}
        </Empty>
      </div>
    );
  }
  return (
    <div class="cards">
      {nodes.map((node) => (
        <NodeCard key={node.id} node={node} />
      ))}
    </div>
  );
}

function NodeCard({ node: { address, state, weight, ports, lastError } }: { readonly node: MediaNode }) {
  const total = ports === null ? 0 : ports.used + ports.free;
  return (
    <section class="card" aria-label={`rtpengine ${address}`}>
      <header>
        <h2>{address}</h2>
        <Status mood={moods[state]}>{state}</Status>
      </header>
      <p class="soft">{meanings[state]}</p>
      <dl>
        <dt>Weight</dt>
        <dd class="num">{count(weight)}</dd>
        <dt>Ports in use</dt>
        <dd class="num">{ports === null ? 'not told yet' : `${count(ports.used)} of ${count(total)}`}</dd>
      </dl>
      {ports !== null && (
        <Gauge part={ports.used / Math.max(1, total)} label={`${count(ports.used)} of ${count(total)} ports in use`} />
      )}
      {lastError !== null && <p class="soft">Last error: {lastError}</p>}
    </section>
  );
}
