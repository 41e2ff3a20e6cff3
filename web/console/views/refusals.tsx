/** Which sources are refused for what they did, why requests were refused since the start, and what never became one. */
import { useAction } from '../action.ts';
import { useList } from '../answer.ts';
import type { RefusedSource } from '../answers.ts';
import { now } from '../clock.ts';
import { type DoorRow, doorsOf } from '../doors.ts';
import { addresses, statistics } from '../live.ts';
import { Empty, Loading, Status, Trouble, Words } from '../parts.tsx';
import { refusalsOf } from '../refusals.ts';
import { send } from '../rest.ts';
import { type Column, Table } from '../table.tsx';
import { count, relative, span } from '../words.ts';

export function Refusals() {
  const numbers = statistics.value;
  if (numbers === undefined) return <Loading />;
  return (
    <>
      {addresses.value.has('/api/v1/refusals') && <Sources />}
      <h2>By reason, since the start</h2>
      <Table
        label="Reasons"
        rows={refusalsOf(numbers.refusals)}
        keyOf={({ code }) => code}
        textOf={({ code, meaning, nextStep, status }) => `${code} ${meaning} ${nextStep} ${status}`}
        more={undefined}
        empty={
          <Empty icon="good" title="Nothing was refused">
            When Viaduct refuses a request, the reason is counted here, with what to do about it.
          </Empty>
        }
        columns={[
          { name: 'Times', end: true, cell: ({ times }) => <b class="num">{count(times)}</b> },
          {
            name: 'Reason',
            main: true,
            cell: ({ meaning, code }) => (
              <span class="two">
                <b>{meaning}</b>
                <small>{code}</small>
              </span>
            ),
          },
          {
            name: 'Status',
            cell: ({ status }) => (status === 0 ? <span class="soft">–</span> : <span class="tag">{status}</span>),
          },
          { name: 'What to do', long: true, cell: ({ nextStep }) => <Words text={nextStep} /> },
        ]}
      />
      <h2>At the door, since the start</h2>
      <Table
        label="At the door"
        rows={doorsOf(numbers.messages.dropped)}
        keyOf={({ reason }) => reason}
        textOf={({ reason, meaning, nextStep }) => `${reason} ${meaning} ${nextStep}`}
        more={undefined}
        empty={
          <Empty icon="good" title="Everybody came in">
            Connections that failed, such as for a certificate, and bytes that were no SIP would be counted here.
          </Empty>
        }
        columns={doorColumns}
      />
    </>
  );
}

const doorColumns: readonly Column<DoorRow>[] = [
  { name: 'Times', end: true, cell: ({ times }) => <b class="num">{count(times)}</b> },
  {
    name: 'What happened',
    main: true,
    cell: ({ meaning, reason }) => (
      <span class="two">
        <b>
          <Words text={meaning} />
        </b>
        <small>{reason}</small>
      </span>
    ),
  },
  { name: 'What to do', long: true, cell: ({ nextStep }) => <Words text={nextStep} /> },
];

const reasons: Readonly<Record<RefusedSource['reason'], string>> = {
  'failed-logins': 'failed logins',
  scanner: 'it looks like a scanner',
  'too-many-messages': 'too many messages',
  'too-many-connections': 'too many connections',
  'too-many-requests': 'too many requests of HTTP',
};

function Sources() {
  const { items, failed, more } = useList<RefusedSource>('/api/v1/refusals');
  const action = useAction();
  if (items === undefined) return failed === undefined ? <Loading /> : <Trouble>{failed}</Trouble>;
  const lift = ({ source }: RefusedSource) =>
    action.run(() => send('DELETE', `/api/v1/refusals/${encodeURIComponent(source)}`));
  return (
    <>
      <h2>By source, now</h2>
      {action.failed !== undefined && <Trouble>{action.failed}</Trouble>}
      <Table
        label="Refused sources"
        rows={items}
        keyOf={({ source, reason }) => `${source} ${reason}`}
        textOf={({ source, reason }) => `${source} ${reason} ${reasons[reason]}`}
        more={more}
        empty={
          <Empty icon="refusals" title="No source is refused">
            Addresses that guess passwords, scan or flood are kept out for a while; they would be listed here.
          </Empty>
        }
        columns={sourceColumns(lift, action.busy)}
      />
    </>
  );
}

function sourceColumns(lift: (refused: RefusedSource) => void, busy: boolean): readonly Column<RefusedSource>[] {
  return [
    { name: 'Source', main: true, cell: ({ source }) => <code>{source}</code> },
    { name: 'Why', cell: ({ reason }) => reasons[reason] },
    { name: 'Times', end: true, cell: ({ count: times }) => <span class="num">{count(times)}</span> },
    { name: 'Last', cell: ({ lastAt }) => <span class="still">{relative(lastAt, now.value)}</span> },
    {
      name: 'Banned',
      cell: ({ until, over }) =>
        until === null ? (
          <span class="soft">not now</span>
        ) : (
          <span class="two">
            <Status mood="bad">for {span((Date.parse(until) - now.value) / 1000)}</Status>
            {over === 'udp' && <small>over UDP only</small>}
          </span>
        ),
    },
    {
      name: 'Forget it',
      end: true,
      cell: (refused) => (
        <button type="button" class="chip" disabled={busy} onClick={() => lift(refused)}>
          {refused.until === null ? 'Forget' : 'Lift the ban'}
        </button>
      ),
    },
  ];
}
