/**
 * One call: who, how long, how it ended and why; the verdict with the next step; its
 * legs with their media, also over time; its ladder; and what rtpengine made of its session descriptions.
 */
import { useAnswer } from '../answer.ts';
import type { Call, Explanation, Ladder } from '../answers.ts';
import { Heard } from '../call-record.tsx';
import { CallState } from '../call-state.tsx';
import { now } from '../clock.ts';
import { Exchanges, Legs, Verdicts } from '../explanation.tsx';
import { Icon } from '../icons.tsx';
import { LadderView } from '../ladder.tsx';
import { beat, statistics } from '../live.ts';
import { MediaOverTime } from '../media-over-time.tsx';
import { Card, Empty, Loading, Media, Party, Trouble } from '../parts.tsx';
import { hrefOf } from '../place.ts';
import { duration, relative, timeOfDay } from '../words.ts';

export function CallPage({ id }: { readonly id: string }) {
  const path = `/api/v1/calls/${encodeURIComponent(id)}`;
  const { value: ladder, failed } = useAnswer<Ladder>(`${path}/ladder`);
  const { value: record, failed: unknown } = useAnswer<Call>(path);
  const { value: explanation } = useAnswer<Explanation>(`${path}/explain`, beat);
  if (ladder === undefined && failed?.status === 404 && record !== undefined) return <RecordOnly call={record} />;
  if (ladder === undefined && failed?.status === 404 && unknown?.status === 404) return <Forgotten />;
  if (ladder === undefined && failed?.status === 409) return <Elsewhere words={failed.message} />;
  if (ladder === undefined) return failed === undefined ? <Loading /> : <Trouble>{failed.message}</Trouble>;
  return (
    <>
      <Summary call={record ?? ladder.call} />
      {explanation !== undefined && <Verdicts verdicts={explanation.verdicts} />}
      {explanation !== undefined && <Legs explanation={explanation} />}
      {explanation !== undefined && <MediaOverTime explanation={explanation} />}
      <Card title="What passed" note="choose a step to read it" wide>
        <LadderView ladder={ladder} />
      </Card>
      {explanation !== undefined && <Exchanges exchanges={explanation.exchanges} />}
    </>
  );
}

/** Its story is gone: what is left stands in the database. */
function RecordOnly({ call }: { readonly call: Call }) {
  return (
    <>
      <Summary call={call} />
      <div class="card">
        <Empty icon="calls" title="Its ladder is not kept any more">
          That of a failed call is kept for a week, that of others for an hour.
        </Empty>
      </div>
    </>
  );
}

/** The node and the next step are in the words. */
function Elsewhere({ words }: { readonly words: string }) {
  return (
    <div class="card">
      <Empty icon="calls" title="Another node has this call">
        {words} Its record is here, too, as soon as it has ended.
      </Empty>
    </div>
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

/** People know a node by its address; one that was taken out since has only its id left. */
function nodeName(id: string): string {
  return statistics.value?.rtpengine.find((node) => node.id === id)?.address ?? id;
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
          {callerMedia !== null && <Media kind={callerMedia} />}
        </div>
        <span class="between">
          <Icon name="arrow" />
          <span class="num">{lasted === undefined ? 'not answered' : duration(lasted)}</span>
        </span>
        <div>
          <Party uri={to} />
          {calleeMedia !== null && <Media kind={calleeMedia} />}
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
            <dd>{nodeName(rtpengine)}</dd>
          </>
        )}
        <Heard call={call} />
        <dt>Call-ID</dt>
        <dd>
          <code>{callId}</code>
        </dd>
      </dl>
    </section>
  );
}
