/** One call: who, how long, how it ended and why; its ladder; and what Viaduct changed in its session descriptions. */
import { useAnswer } from '../answer.ts';
import type { Call, Ladder } from '../answers.ts';
import { CallState } from '../call-state.tsx';
import { now } from '../clock.ts';
import { diffLines } from '../diff.ts';
import { Icon } from '../icons.tsx';
import { LadderView } from '../ladder.tsx';
import { Card, Empty, Loading, Media, Party, Trouble } from '../parts.tsx';
import { hrefOf } from '../place.ts';
import { type SdpChange, sdpChanges } from '../sdp-changes.ts';
import { duration, relative, timeOfDay } from '../words.ts';

export function CallPage({ id }: { readonly id: string }) {
  const path = `/api/v1/calls/${encodeURIComponent(id)}`;
  const { value: ladder, failed } = useAnswer<Ladder>(`${path}/ladder`);
  if (ladder === undefined && failed?.status === 404) return <Forgotten />;
  if (ladder === undefined) return failed === undefined ? <Loading /> : <Trouble>{failed.message}</Trouble>;
  return (
    <>
      <Summary call={ladder.call} />
      <Card title="What passed" note="choose a step to read it" wide>
        <LadderView ladder={ladder} />
      </Card>
      <Sdp changes={sdpChanges(ladder.steps)} />
    </>
  );
}

function Forgotten() {
  return (
    <div class="card">
      <Empty icon="calls" title="This call is not known">
        Viaduct keeps the story of a call for a while only. <a href={hrefOf('calls')}>See those it has</a>.
      </Empty>
    </div>
  );
}

function Summary({ call }: { readonly call: Call }) {
  const { from, to, callerMedia, calleeMedia, startedAt, answeredAt, endedAt, endedBy, rtpengine, callId } = call;
  const lasted =
    answeredAt === null
      ? undefined
      : ((endedAt === null ? now.value : Date.parse(endedAt)) - Date.parse(answeredAt)) / 1000;
  return (
    <section class="card summary" aria-label="The call">
      <div class="who">
        <div>
          <Party uri={from} />
          <Media kind={callerMedia} />
        </div>
        <span class="between">
          <Icon name="arrow" />
          <span class="num">{lasted === undefined ? 'not answered' : duration(lasted)}</span>
        </span>
        <div>
          <Party uri={to} />
          <Media kind={calleeMedia} />
        </div>
      </div>
      <dl>
        <dt>State</dt>
        <dd>
          <CallState call={call} />
        </dd>
        <dt>Began</dt>
        <dd>
          {timeOfDay(startedAt)} <span class="soft">{relative(startedAt, now.value)}</span>
        </dd>
        {endedAt !== null && (
          <>
            <dt>Ended</dt>
            <dd>
              {timeOfDay(endedAt)}{' '}
              <span class="soft">
                {endedBy === null ? '' : `by ${endedBy === 'viaduct' ? 'Viaduct' : `the ${endedBy}`}`}
              </span>
            </dd>
          </>
        )}
        {rtpengine !== null && (
          <>
            <dt>Media</dt>
            <dd>{rtpengine}</dd>
          </>
        )}
        <dt>Call-ID</dt>
        <dd>
          <code>{callId}</code>
        </dd>
      </dl>
    </section>
  );
}

function Sdp({ changes }: { readonly changes: readonly SdpChange[] }) {
  if (changes.length === 0) return null;
  return (
    <Card title="What Viaduct changed in the SDP" note="before and after rtpengine" wide>
      <div class="diffs">
        {changes.map((change) => (
          <Diff key={`${change.came.number} ${change.left.number}`} change={change} />
        ))}
      </div>
    </Card>
  );
}

function Diff({ change: { came, left, before, after } }: { readonly change: SdpChange }) {
  const lines = diffLines(before, after);
  const changed = lines.filter(({ change }) => change !== 'same').length;
  return (
    <details open={changed > 0}>
      <summary>
        <b>
          F{came.number} {came.label}
        </b>
        <Icon name="arrow" />
        <b>
          F{left.number} {left.label}
        </b>
        <span class="soft">{changed === 0 ? 'unchanged' : `${changed} lines changed`}</span>
      </summary>
      <pre class="diff">
        {lines.map(({ change, text }, index) => (
          <DiffRow key={`${index} ${change}`} change={change} text={text} />
        ))}
      </pre>
    </details>
  );
}

const marks = { same: ' ', gone: '−', new: '+' } as const;
const meanings = { same: '', gone: 'taken out: ', new: 'put in: ' } as const;

function DiffRow({ change, text }: { readonly change: keyof typeof marks; readonly text: string }) {
  return (
    <span data-change={change}>
      <i aria-hidden="true">{marks[change]}</i>
      <span class="sr-only">{meanings[change]}</span>
      {`${text}\n`}
    </span>
  );
}
