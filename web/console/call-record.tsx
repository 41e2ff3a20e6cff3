/** What the record of a call says of its media: packets and quality of each side, in a list and on its own page. */
import type { Call } from './answers.ts';
import { mosWord, noQuality } from './explanation.tsx';
import { count, counted } from './words.ts';

type Leg = Call['legs'][number];

/** MOS of caller and callee where there is one, else packets; empty where nobody answered. */
export function HeardPair({ call: { legs, answeredAt } }: { readonly call: Call }) {
  if (answeredAt === null) return <span class="soft">–</span>;
  return (
    <span class="num" title={legs.map(sentence).join(' ')}>
      {legs.map(brief).join(' / ')}
    </span>
  );
}

function brief({ mos, packets }: Leg): string {
  if (mos !== null) return `MOS ${mos.toFixed(1)}`;
  return packets === null ? '–' : counted(packets, 'packet');
}

function sentence(leg: Leg): string {
  const { role, packets } = leg;
  return `The ${role}: ${packets === null ? '' : `${count(packets)} packets came. `}${qualityOf(leg)}`;
}

/** For the description of a call: one line a side. */
export function Heard({ call: { legs, answeredAt } }: { readonly call: Call }) {
  if (answeredAt === null) return null;
  return legs.map((leg) => (
    <>
      <dt>From {leg.role}</dt>
      <dd>
        {leg.packets === null ? '' : `${count(leg.packets)} packets. `}
        <span class="soft">{qualityOf(leg)}</span>
      </dd>
    </>
  ));
}

function qualityOf({ mos, jitterMs, lossPercent, roundTripMs, noQuality: why }: Leg): string {
  if (mos === null) return why === null ? '' : noQuality[why];
  const rest = `jitter ${Math.round(jitterMs ?? 0)} ms, ${(lossPercent ?? 0).toFixed(1)} % lost`;
  return `MOS ${mos.toFixed(1)} (${mosWord(mos)}), ${rest}, round trip ${Math.round(roundTripMs ?? 0)} ms.`;
}
