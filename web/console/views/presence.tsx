/** Who tells what of himself, and who watches whom (RFC 3856, RFC 6665). */
import { useList } from '../answer.ts';
import type { Publication, Subscription } from '../answers.ts';
import { now } from '../clock.ts';
import { Empty, Loading, type Mood, Party, Status, Trouble } from '../parts.tsx';
import { Table } from '../table.tsx';
import { count, counted, eventWord, relative } from '../words.ts';

export function Presence() {
  return (
    <>
      <Subscriptions />
      <Publications />
    </>
  );
}

const moods: Readonly<Record<Subscription['state'], Mood>> = { active: 'good', pending: 'warn', terminated: 'quiet' };

function Subscriptions() {
  const { items, failed, more } = useList<Subscription>('/api/v1/presence/subscriptions');
  if (items === undefined) return failed === undefined ? <Loading /> : <Trouble>{failed}</Trouble>;
  return (
    <>
      <h2>Who watches whom</h2>
      <Table
        label="Subscriptions"
        rows={items}
        keyOf={({ resource, event, watcher, contact, since }) => `${resource} ${event} ${watcher} ${contact} ${since}`}
        textOf={({ resource, event, watcher, state }) => `${resource} ${event} ${watcher} ${state}`}
        more={more}
        empty={
          <Empty icon="presence" title="Nobody watches anybody">
            Telephones with lamps for colleagues, and softphones with a list of contacts, appear here when they
            subscribe.
          </Empty>
        }
        columns={[
          { name: 'Watcher', main: true, cell: ({ watcher }) => <Party uri={watcher} /> },
          { name: 'Watches', main: true, cell: ({ resource }) => <Party uri={resource} /> },
          { name: 'Event', cell: ({ event }) => <EventName event={event} /> },
          { name: 'State', cell: ({ state }) => <Status mood={moods[state]}>{state}</Status> },
          {
            name: 'Told',
            end: true,
            cell: ({ notifications }) => <span class="num">{counted(notifications, 'time')}</span>,
          },
          {
            name: 'Expires',
            end: true,
            cell: ({ expiresAt }) => <span class="still">{relative(expiresAt, now.value)}</span>,
          },
        ]}
      />
    </>
  );
}

function Publications() {
  const { items, failed, more } = useList<Publication>('/api/v1/presence/publications');
  if (items === undefined) return failed === undefined ? <Loading /> : <Trouble>{failed}</Trouble>;
  return (
    <>
      <h2>What is published</h2>
      <Table
        label="Publications"
        rows={items}
        keyOf={({ aor, event, expiresAt }) => `${aor} ${event} ${expiresAt}`}
        textOf={({ aor, event, contentType }) => `${aor} ${event} ${contentType}`}
        more={more}
        empty={
          <Empty icon="presence" title="Nobody publishes anything">
            A client that sends PUBLISH, such as “away” or “in a meeting”, appears here until it expires.
          </Empty>
        }
        columns={[
          { name: 'Of', main: true, cell: ({ aor }) => <Party uri={aor} /> },
          { name: 'Event', cell: ({ event }) => <EventName event={event} /> },
          { name: 'Document', cell: ({ contentType }) => <code>{contentType}</code> },
          { name: 'Size', end: true, cell: ({ bytes }) => <span class="num">{count(bytes)} bytes</span> },
          {
            name: 'Expires',
            end: true,
            cell: ({ expiresAt }) => <span class="still">{relative(expiresAt, now.value)}</span>,
          },
        ]}
      />
    </>
  );
}

function EventName({ event }: { readonly event: string }) {
  const word = eventWord(event);
  return (
    <span class="two">
      <span>
        <span class="tag">{event}</span>
      </span>
      {word !== undefined && <small>{word}</small>}
    </span>
  );
}
