/** Why a call went as it did: the verdicts with the next step, each leg with its media, and what rtpengine made of the SDP. */
import type { Exchange, Explanation, Leg, Verdict } from './answers.ts';
import { diffLines } from './diff.ts';
import { Icon, type IconName } from './icons.tsx';
import { Card, Media, type Mood, Status, Words } from './parts.tsx';
import { count, timeOfDay } from './words.ts';

const looks: Readonly<Record<Verdict['level'], { readonly icon: IconName; readonly word: string }>> = {
  error: { icon: 'alert', word: 'Something is wrong' },
  warning: { icon: 'alert', word: 'Look at this' },
  notice: { icon: 'note', word: 'Note' },
  ok: { icon: 'good', word: 'All is well' },
};

export function Verdicts({ verdicts }: { readonly verdicts: readonly Verdict[] }) {
  const [headline, ...others] = verdicts;
  if (headline === undefined) return null;
  return (
    <section class="verdict card" data-level={headline.level} aria-label="The verdict">
      <Icon name={looks[headline.level].icon} />
      <div>
        <span class="sr-only">{looks[headline.level].word}: </span>
        <h2>{headline.says}</h2>
        <p>
          <Words text={headline.nextStep} />
        </p>
        {others.length > 0 && (
          <ul>
            {others.map(({ number, level, says, nextStep }) => (
              <li key={number} data-level={level}>
                <b>{says}</b> <Words text={nextStep} />
              </li>
            ))}
          </ul>
        )}
      </div>
      <small class="soft" title={`Verdict ${headline.number}: ${headline.code}`}>
        #{headline.number}
      </small>
    </section>
  );
}

export function Legs({ explanation: { call, legs } }: { readonly explanation: Explanation }) {
  const withMedia = call.answeredAt !== null;
  return (
    <div class="cards">
      {legs.map((leg) => (
        <LegCard
          key={`${leg.party.role} ${leg.party.name} ${leg.party.address}`}
          leg={leg}
          withMedia={withMedia}
          isOver={call.endedAt !== null}
        />
      ))}
    </div>
  );
}

interface LegProps {
  readonly leg: Leg;
  /** It was answered: there should be some. */
  readonly withMedia: boolean;
  readonly isOver: boolean;
}

function LegCard({ leg, withMedia, isOver }: LegProps) {
  const { party, userAgent, profile, why, media, inCall } = leg;
  return (
    <Card title={party.name} note={inCall ? party.role : `${party.role}, did not answer`}>
      <dl>
        <dt>Speaks</dt>
        <dd>
          <Media kind={profile} /> <span class="because">{why}</span>
        </dd>
        {userAgent !== '' && (
          <>
            <dt>Device</dt>
            <dd>{userAgent}</dd>
          </>
        )}
        <dt>Signalling</dt>
        <dd>
          {party.transport.toUpperCase()} <code>{party.address}</code>
        </dd>
        {media !== null && (
          <>
            <dt>Media</dt>
            <dd>
              <code>{media.remote === '' ? 'not seen yet' : media.remote}</code> to <code>{media.local}</code>
            </dd>
            <dt>Arrived</dt>
            <dd class="num">{arrived(media, isOver)}</dd>
          </>
        )}
      </dl>
      {media !== null && (
        <ul class="checks">
          <Check name="ICE" state={media.ice} />
          <Check name="DTLS" state={media.dtls} />
          <li>
            <Status mood={media.srtp === 'off' ? 'quiet' : 'good'}>
              {media.srtp === 'off' ? 'not encrypted' : media.srtp}
            </Status>
          </li>
        </ul>
      )}
      {withMedia && <QualityOf leg={leg} />}
    </Card>
  );
}

function arrived({ packets, silentSeconds }: NonNullable<Leg['media']>, isOver: boolean): string {
  if (silentSeconds === null) return isOver ? 'no packet' : 'no packet yet';
  const justNow = isOver ? 'at the end' : 'just now';
  const before = `${count(silentSeconds)} s before${isOver ? ' the end' : ''}`;
  return `${count(packets)} packets, the last ${silentSeconds < 3 ? justNow : before}`;
}

type CheckState = NonNullable<Leg['media']>['ice'];

const checkMoods: Readonly<Record<CheckState, Mood>> = {
  off: 'quiet',
  waiting: 'warn',
  unknown: 'quiet',
  done: 'good',
};

function Check({ name, state }: { readonly name: string; readonly state: CheckState }) {
  if (state === 'off') return null;
  return (
    <li>
      <Status mood={checkMoods[state]}>
        {name} {state}
      </Status>
    </li>
  );
}

export const noQuality: Readonly<Record<NonNullable<Leg['noQuality']>, string>> = {
  'not-answered': 'Nobody has answered.',
  'no-relay': 'The media of this call does not pass an rtpengine.',
  'relay-gone': 'rtpengine did not answer, or did not know the call any more.',
  'no-media': 'Nothing came from this side.',
  'no-rtcp': 'No quality is known: this side is sent no RTCP report, or none has come yet.',
  'too-few-reports': 'No quality is known yet: RTCP reports of both sides must refer to each other first.',
  'no-statistics': 'rtpengine has said nothing of this side.',
};

function QualityOf({ leg: { media, noQuality: why, inCall } }: { readonly leg: Leg }) {
  const quality = media?.quality ?? null;
  if (media === null || quality === null) {
    return inCall && why !== null ? <p class="soft small">{noQuality[why]}</p> : null;
  }
  return (
    <div class="quality">
      <Measure name="MOS" value={quality.mos.toFixed(1)} say={mosWord(quality.mos)} />
      <Measure name="Jitter" value={`${Math.round(quality.jitterMs)} ms`} />
      <Measure name="Loss" value={`${quality.lossPercent.toFixed(1)} %`} say={`${count(quality.lost)} lost`} />
      <Measure name="Round trip" value={`${Math.round(quality.roundTripMs)} ms`} />
    </div>
  );
}

/** ITU-T P.800.1, in a word. */
export function mosWord(mos: number): string {
  if (mos >= 4) return 'good';
  return mos >= 3.1 ? 'fair' : 'poor';
}

interface MeasureProps {
  readonly name: string;
  readonly value: string;
  readonly say?: string;
}

function Measure({ name, value, say }: MeasureProps) {
  return (
    <div class="measure">
      <span class="what">{name}</span>
      <b class="num">{value}</b>
      <span class="what word">{say}</span>
    </div>
  );
}

export function Exchanges({ exchanges }: { readonly exchanges: readonly Exchange[] }) {
  if (exchanges.length === 0) return null;
  return (
    <Card title="What rtpengine made of the SDP" note="before and after" wide>
      <div class="diffs">
        {exchanges.map((exchange) => (
          <ExchangeView key={`${exchange.at} ${exchange.cookie}`} exchange={exchange} />
        ))}
      </div>
    </Card>
  );
}

function ExchangeView({ exchange }: { readonly exchange: Exchange }) {
  const { kind, by, callee, at, tookMs, node, cookie, flags, failure, before, after, words } = exchange;
  const lines = after === null ? [] : diffLines(before, after);
  return (
    <details>
      <summary>
        <b>
          {kind === 'offer' ? 'Offer' : 'Answer'} of the {by}
        </b>
        {callee !== null && <span class="soft">{by === 'caller' ? `to ${callee}` : callee}</span>}
        <span class="soft num">
          {timeOfDay(at)}, {tookMs} ms
        </span>
        {failure !== null && <Status mood="bad">{failure}</Status>}
      </summary>
      <ul class="words">
        {words.map((word) => (
          <li key={word}>{word}</li>
        ))}
      </ul>
      <pre class="diff">
        {after === null
          ? before
          : lines.map(({ change, text }, index) => <DiffRow key={`${index} ${change}`} change={change} text={text} />)}
      </pre>
      <p class="soft small flags">
        To {node}, cookie <code>{cookie}</code>
        {Object.entries(flags).map(([name, value]) => (
          <span key={name} class="tag">
            {name} {value}
          </span>
        ))}
      </p>
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
