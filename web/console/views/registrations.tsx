/** Who can be called now, and where. */

import { useList } from '../answer.ts';
import type { Registration } from '../answers.ts';
import { now } from '../clock.ts';
import { Empty, Loading, Media, Party, Trouble } from '../parts.tsx';
import { Table } from '../table.tsx';
import { relative } from '../words.ts';

export function Registrations() {
  const list = useList<Registration>('/api/v1/registrations');
  if (list.failed !== undefined && list.items === undefined) return <Trouble>{list.failed}</Trouble>;
  if (list.items === undefined) return <Loading />;
  return (
    <Table
      label="Registered contacts"
      rows={list.items}
      keyOf={({ aor, contact, source }) => `${aor} ${contact} ${source}`}
      textOf={({ aor, contact, publicGruu, source, userAgent, transport }) =>
        `${aor} ${contact} ${publicGruu ?? ''} ${source} ${userAgent} ${transport}`
      }
      more={list.more}
      empty={
        <Empty icon="registrations" title="Nobody is registered">
          Sign in on <a href="/phone">the phone page</a>, or give a softphone the domain, a name and a password: it
          appears here as soon as it has logged in.
        </Empty>
      }
      columns={[
        { name: 'Address', main: true, cell: ({ aor }) => <Party uri={aor} /> },
        { name: 'Over', cell: ({ transport }) => <span class="tag">{transport.toUpperCase()}</span> },
        { name: 'From', cell: ({ source }) => <code>{source}</code> },
        {
          name: 'Device',
          cell: ({ userAgent, publicGruu }) => (
            <span class="two">
              <span class="clip" title={userAgent}>
                {userAgent === '' ? 'does not say' : userAgent}
              </span>
              {publicGruu !== null && (
                <small class="clip" title={`Calls this device alone: ${publicGruu}`}>
                  {publicGruu}
                </small>
              )}
            </span>
          ),
        },
        { name: 'Media', cell: ({ media }) => <Media kind={media} /> },
        { name: 'Expires', end: true, cell: ({ expiresAt }) => relative(expiresAt, now.value) },
      ]}
    />
  );
}
