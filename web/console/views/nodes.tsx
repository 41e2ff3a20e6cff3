/** The rtpengine nodes: whether they answer, how full they are, and how many calls each shall get. */
import { useState } from 'preact/hooks';
import { errors } from '../../../src/errors.ts';
import { type Action, useAction } from '../action.ts';
import type { MediaNode } from '../answers.ts';
import { Gauge } from '../charts.tsx';
import { addresses, statistics } from '../live.ts';
import { Empty, Loading, type Mood, Status, Trouble, Words } from '../parts.tsx';
import { send } from '../rest.ts';
import { count } from '../words.ts';

const moods: Readonly<Record<MediaNode['state'], Mood>> = { up: 'good', down: 'bad', busy: 'warn', draining: 'quiet' };
const meanings: Readonly<Record<MediaNode['state'], string>> = {
  up: 'It takes new calls.',
  down: 'It does not answer.',
  busy: 'It has no room for new calls.',
  draining: 'It keeps its calls, and takes no new ones.',
};

export function Nodes() {
  const nodes = statistics.value?.rtpengine;
  if (nodes === undefined) return <Loading />;
  const canChange = addresses.value.has('/api/v1/rtpengine/{id}');
  return (
    <>
      {nodes.length === 0 && (
        <div class="card">
          <Empty icon="media" title="No rtpengine">
            <Words text={errors['media-none'].nextStep} />
          </Empty>
        </div>
      )}
      <div class="cards">
        {nodes.map((node) => (
          <NodeCard key={node.id} node={node} canChange={canChange} />
        ))}
      </div>
      {canChange && <AddNode />}
    </>
  );
}

function NodeCard({ node, canChange }: { readonly node: MediaNode; readonly canChange: boolean }) {
  const { address, state, weight, ports, lastError } = node;
  const total = ports === null ? 0 : ports.used + ports.free;
  return (
    <section class="card" aria-label={`rtpengine ${address}`}>
      <header>
        <h2>{address}</h2>
        <Status mood={moods[state]}>{state}</Status>
      </header>
      <p class="soft">{meanings[state]}</p>
      {lastError !== null && <p class="soft">Last error: {lastError}</p>}
      <dl>
        <dt>Ports in use</dt>
        <dd class="num">{ports === null ? 'not told yet' : `${count(ports.used)} of ${count(total)}`}</dd>
        <dt>Weight</dt>
        <dd class="num">{count(weight)}</dd>
      </dl>
      {ports !== null && (
        <Gauge part={ports.used / Math.max(1, total)} label={`${count(ports.used)} of ${count(total)} ports in use`} />
      )}
      {canChange && <Controls node={node} />}
    </section>
  );
}

function Controls({ node: { id, address, state, weight } }: { readonly node: MediaNode }) {
  const action = useAction();
  const [wanted, setWanted] = useState(String(weight));
  const path = `/api/v1/rtpengine/${encodeURIComponent(id)}`;
  const draining = state === 'draining';
  const submit = (event: Event) => {
    event.preventDefault();
    action.run(() => send('PATCH', path, { weight: Number(wanted) }));
  };
  return (
    <form class="controls" onSubmit={submit}>
      <label>
        New weight
        <input
          type="number"
          min="0"
          max="9999"
          required
          value={wanted}
          aria-label={`Weight of ${address}`}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="chip" disabled={action.busy || Number(wanted) === weight}>
        Set
      </button>
      <button
        type="button"
        class="chip"
        disabled={action.busy}
        onClick={() => action.run(() => send('PATCH', path, { draining: !draining }))}
      >
        {draining ? 'Take calls again' : 'Drain'}
      </button>
      {draining && (
        <button
          type="button"
          class="chip"
          disabled={action.busy}
          onClick={() => action.run(() => send('DELETE', path))}
        >
          Take out
        </button>
      )}
      <Failed action={action} />
    </form>
  );
}

function AddNode() {
  const action = useAction();
  const [address, setAddress] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    action.run(
      () => send('POST', '/api/v1/rtpengine', { address: address.trim() }),
      () => setAddress(''),
    );
  };
  return (
    <section class="card" aria-label="Add a node">
      <header>
        <h2>Add a node</h2>
      </header>
      <p class="soft">It takes calls at once, and is still there after a restart.</p>
      <form class="controls" onSubmit={submit}>
        <label class="wide">
          Address
          <input
            placeholder="udp:10.0.0.8:22222"
            required
            spellcheck={false}
            value={address}
            onInput={(event) => setAddress(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="chip" disabled={action.busy}>
          Add
        </button>
        <Failed action={action} />
      </form>
    </section>
  );
}

function Failed({ action: { failed } }: { readonly action: Action }) {
  return failed === undefined ? null : <Trouble>{failed}</Trouble>;
}
