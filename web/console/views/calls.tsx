/** The calls that Viaduct knows of, in progress and recent, the newest first; each is a link to its own page. */
import { useState } from 'preact/hooks';
import { useList } from '../answer.ts';
import type { Call } from '../answers.ts';
import { HeardPair } from '../call-record.tsx';
import { CallState } from '../call-state.tsx';
import { now } from '../clock.ts';
import { Icon } from '../icons.tsx';
import { Empty, Loading, MediaPair, Party, Trouble } from '../parts.tsx';
import { hrefOf } from '../place.ts';
import { type Column, Table } from '../table.tsx';
import { duration, relative, sipName } from '../words.ts';
import { CallPage } from './call.tsx';

const filters = [
  { state: undefined, word: 'All' },
  { state: 'ringing', word: 'Ringing' },
  { state: 'answered', word: 'Talking' },
  { state: 'ended', word: 'Ended' },
  { state: 'failed', word: 'Failed' },
] as const;

type State = (typeof filters)[number]['state'];

export function Calls({ id }: { readonly id?: string | undefined }) {
  return id === undefined ? <CallList /> : <CallPage id={id} />;
}

function CallList() {
  const [state, setState] = useState<State>(undefined);
  const list = useList<Call>(state === undefined ? '/api/v1/calls' : `/api/v1/calls?state=${state}`);
  if (list.failed !== undefined && list.items === undefined) return <Trouble>{list.failed}</Trouble>;
  return (
    <>
      <fieldset class="choice">
        <legend class="sr-only">Which calls</legend>
        {filters.map((filter) => (
          <button
            type="button"
            key={filter.word}
            aria-pressed={filter.state === state}
            onClick={() => setState(filter.state)}
          >
            {filter.word}
          </button>
        ))}
      </fieldset>
      {list.partial && <Trouble>The database is down: these are the calls of this process alone.</Trouble>}
      {list.items === undefined ? <Loading /> : <CallTable calls={list.items} state={state} more={list.more} />}
    </>
  );
}

interface CallTableProps {
  readonly calls: readonly Call[];
  readonly state: State;
  readonly more: (() => void) | undefined;
}

function CallTable({ calls, state, more }: CallTableProps) {
  return (
    <Table
      label="Calls"
      rows={calls}
      keyOf={({ id, startedAt }) => `${id} ${startedAt}`}
      hrefOf={({ id }) => hrefOf('calls', id)}
      textOf={({ from, to, callId, reason, status }) =>
        `${sipName(from).user} ${sipName(to).user} ${from} ${to} ${callId} ${reason} ${status}`
      }
      more={more}
      empty={<NoCalls state={state} />}
      columns={columns}
    />
  );
}

const columns: readonly Column<Call>[] = [
  {
    name: 'Caller',
    main: true,
    cell: ({ from }) => <Party uri={from} />,
  },
  {
    name: 'Callee',
    main: true,
    cell: ({ to }) => (
      <span class="toward">
        <Icon name="arrow" />
        <Party uri={to} />
      </span>
    ),
  },
  { name: 'State', cell: (call) => <CallState call={call} /> },
  {
    name: 'Media',
    cell: ({ callerMedia, calleeMedia }) => <MediaPair caller={callerMedia} callee={calleeMedia} />,
  },
  { name: 'Heard', cell: (call) => <HeardPair call={call} /> },
  { name: 'Began', cell: ({ startedAt }) => <span class="still">{relative(startedAt, now.value)}</span> },
  { name: 'Lasts', end: true, cell: (call) => <span class="num">{lasts(call, now.value)}</span> },
];

function lasts({ answeredAt, endedAt }: Call, nowMs: number): string {
  if (answeredAt === null) return '–';
  return duration(((endedAt === null ? nowMs : Date.parse(endedAt)) - Date.parse(answeredAt)) / 1000);
}

function NoCalls({ state }: { readonly state: State }) {
  if (state === 'failed') {
    return (
      <Empty icon="good" title="No call has failed">
        When one does, it stays here for a while with its reason and its ladder.
      </Empty>
    );
  }
  return (
    <Empty icon="calls" title={state === undefined || state === 'ended' ? 'No call yet' : 'No call right now'}>
      Calls appear here by themselves. <a href="/phone">Open the phone</a> and call somebody who is{' '}
      <a href={hrefOf('registrations')}>registered</a>.
    </Empty>
  );
}
