/** The calls in progress, each a link to its own page. */
import type { Call } from '../answers.ts';
import { now } from '../clock.ts';
import { Icon } from '../icons.tsx';
import { useList } from '../list.ts';
import { Empty, Loading, Media, Party, Status, Trouble } from '../parts.tsx';
import { hrefOf } from '../place.ts';
import { Table } from '../table.tsx';
import { duration, relative, sipName } from '../words.ts';

export function Calls() {
  const list = useList<Call>('/api/v1/calls');
  if (list.failed !== undefined && list.items === undefined) return <Trouble>{list.failed}</Trouble>;
  if (list.items === undefined) return <Loading />;
  return (
    <Table
      label="Calls in progress"
      rows={list.items}
      keyOf={({ id }) => id}
      hrefOf={({ id }) => hrefOf('calls', id)}
      textOf={({ from, to, callId }) => `${sipName(from).user} ${from} ${to} ${callId}`}
      more={list.hasMore ? list.more : undefined}
      empty={
        <Empty icon="calls" title="No call right now">
          Answered calls appear here by themselves. <a href="/phone">Open the phone</a> and call somebody who is{' '}
          <a href={hrefOf('registrations')}>registered</a>.
        </Empty>
      }
      columns={[
        {
          name: 'State',
          cell: ({ state }) => (
            <Status mood={state === 'answered' ? 'good' : 'busy'}>
              {state === 'answered' ? 'talking' : 'ringing'}
            </Status>
          ),
        },
        { name: 'Caller', main: true, cell: ({ from }) => <Party uri={from} /> },
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
        {
          name: 'Media',
          cell: ({ callerMedia, calleeMedia }) => (
            <span class="pair">
              <Media kind={callerMedia} />
              <i aria-hidden="true">↔</i>
              <Media kind={calleeMedia} />
            </span>
          ),
        },
        { name: 'Started', cell: ({ startedAt }) => relative(startedAt, now.value) },
        {
          name: 'Lasts',
          end: true,
          cell: ({ answeredAt, startedAt }) => (
            <span class="num">{duration((now.value - Date.parse(answeredAt ?? startedAt)) / 1000)}</span>
          ),
        },
      ]}
    />
  );
}
