/** The accounts: who may log in. A password goes in and never comes out. */
import { useState } from 'preact/hooks';
import { useAction } from '../action.ts';
import { useList } from '../answer.ts';
import type { Subscriber } from '../answers.ts';
import { now } from '../clock.ts';
import { Empty, Loading, Party, Status, Trouble } from '../parts.tsx';
import { send } from '../rest.ts';
import { Table } from '../table.tsx';
import { relative } from '../words.ts';

const PATH = '/api/v1/subscribers';

export function Subscribers() {
  const { items, failed, more } = useList<Subscriber>(PATH);
  const action = useAction();
  if (items === undefined) return failed === undefined ? <Loading /> : <Trouble>{failed}</Trouble>;
  const setDisabled = ({ address, disabled }: Subscriber) =>
    action.run(() => send('PATCH', `${PATH}/${encodeURIComponent(address)}`, { disabled: !disabled }));
  return (
    <>
      <AddSubscriber />
      {action.failed !== undefined && <Trouble>{action.failed}</Trouble>}
      <Table
        label="Accounts"
        rows={items}
        keyOf={({ address }) => address}
        textOf={({ address, disabled }) => `${address} ${disabled ? 'disabled' : 'enabled'}`}
        more={more}
        empty={
          <Empty icon="subscribers" title="No account yet">
            Add one above; its name and password go into the telephone.
          </Empty>
        }
        columns={[
          { name: 'Account', main: true, cell: ({ address }) => <Party uri={address} /> },
          {
            name: 'State',
            cell: ({ disabled }) => (
              <Status mood={disabled ? 'quiet' : 'good'}>{disabled ? 'disabled' : 'may log in'}</Status>
            ),
          },
          { name: 'Since', cell: ({ createdAt }) => <span class="still">{relative(createdAt, now.value)}</span> },
          {
            name: 'Password set',
            cell: ({ updatedAt }) => <span class="still">{relative(updatedAt, now.value)}</span>,
          },
          {
            name: 'Change',
            end: true,
            cell: (subscriber) => (
              <button type="button" class="chip" disabled={action.busy} onClick={() => setDisabled(subscriber)}>
                {subscriber.disabled ? 'Enable' : 'Disable'}
                <span class="sr-only"> {subscriber.address}</span>
              </button>
            ),
          },
        ]}
      />
    </>
  );
}

function AddSubscriber() {
  const action = useAction();
  const [address, setAddress] = useState('');
  const [password, setPassword] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    action.run(
      () => send('POST', PATH, { address: address.trim(), password }),
      () => {
        setAddress('');
        setPassword('');
      },
    );
  };
  return (
    <section class="card" aria-label="Add an account">
      <form class="controls" onSubmit={submit} autocomplete="off">
        <label class="wide">
          Name
          <input
            required
            placeholder="carol"
            autocapitalize="none"
            spellcheck={false}
            value={address}
            onInput={(event) => setAddress(event.currentTarget.value)}
          />
        </label>
        <label class="wide">
          Password
          <input
            type="password"
            required
            autocomplete="new-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="chip" disabled={action.busy}>
          Add an account
        </button>
      </form>
      {action.failed !== undefined && <Trouble>{action.failed}</Trouble>}
    </section>
  );
}
