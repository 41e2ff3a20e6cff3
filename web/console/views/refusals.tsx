/** Why requests were refused since the start, how often, and what to do about each. */
import { statistics } from '../live.ts';
import { Empty, Loading } from '../parts.tsx';
import { refusalsOf } from '../refusals.ts';
import { Table } from '../table.tsx';
import { count } from '../words.ts';

export function Refusals() {
  const counts = statistics.value?.refusals;
  if (counts === undefined) return <Loading />;
  return (
    <Table
      label="Refusals"
      rows={refusalsOf(counts)}
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
        { name: 'What to do', cell: ({ nextStep }) => nextStep },
      ]}
    />
  );
}
