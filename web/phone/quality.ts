/**
 * How good a call sounds, from what the browser counts each second (getStats), and in words what is probably wrong.
 * Pure: samples in, a grade, numbers and a cause out. It decides nothing about the call.
 */
import type { Words } from './reasons.ts';

/** Counters grow from the start of the call. */
export interface Sample {
  readonly atMs: number;
  /** Sum of the microphone's energy; it stands still when the microphone gives digital silence. */
  readonly spokenEnergy: number;
  readonly sentPackets: number;
  readonly heardPackets: number;
  readonly lostPackets: number;
  readonly roundTripMs: number | undefined;
  /** 0 to 1: the share that the media relay misses of what we send. */
  readonly lostThere: number;
  /** The system, not the page, keeps the microphone silent. */
  readonly silenced: boolean;
}

/** What explains silence: nothing is wrong then. */
export interface Circumstances {
  readonly peer: string;
  readonly muted: boolean;
  readonly onHold: boolean;
}

export interface Quality {
  readonly grade: 'measuring' | 'good' | 'fair' | 'poor';
  /** `Good · 23 ms · 0 % lost`. */
  readonly text: string;
  readonly trouble?: Words;
  /** What was heard has stopped: it may come by another way. */
  readonly hasStopped?: true;
}

/** Of samples that are kept: a bad moment is forgotten after it. */
export const WINDOW_MS = 10_000;
/** A second or two of silence is speech. */
const SILENT_MS = 5000;
const FAIR = { loss: 0.015, roundTripMs: 250 } as const;
const POOR = { loss: 0.05, roundTripMs: 500 } as const;

export function qualityOf(samples: readonly Sample[], circumstances: Circumstances): Quality {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || circumstances.onHold) return MEASURING;
  const grade = gradeOf(lossOf(first, last), last.roundTripMs);
  const trouble = troubleOf(samples, last, circumstances);
  const found = {
    ...(trouble === undefined ? {} : { trouble }),
    ...(last.heardPackets > 0 && hasStopped(samples, last) ? { hasStopped: true as const } : {}),
  };
  if (last.heardPackets === first.heardPackets) return { ...MEASURING, ...found };
  return { grade, text: textOf(grade, first, last), ...found };
}

const MEASURING: Quality = { grade: 'measuring', text: '' };
const NAMES = { good: 'Good', fair: 'Fair', poor: 'Poor' } as const;

function lossOf(first: Sample, last: Sample): number {
  // RFC 3550 §6.4.1: late copies are counted as received, and make the count of lost packets fall.
  const lost = Math.max(0, last.lostPackets - first.lostPackets);
  const heard = last.heardPackets - first.heardPackets;
  return lost + heard === 0 ? 0 : lost / (lost + heard);
}

function gradeOf(loss: number, roundTripMs = 0): 'good' | 'fair' | 'poor' {
  if (loss > POOR.loss || roundTripMs > POOR.roundTripMs) return 'poor';
  return loss > FAIR.loss || roundTripMs > FAIR.roundTripMs ? 'fair' : 'good';
}

function textOf(grade: keyof typeof NAMES, first: Sample, last: Sample): string {
  const delay = last.roundTripMs === undefined ? [] : [`${Math.round(last.roundTripMs)} ms`];
  return [NAMES[grade], ...delay, `${percent(lossOf(first, last))} lost`].join(' · ');
}

function percent(part: number): string {
  const value = part * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

function troubleOf(samples: readonly Sample[], last: Sample, { peer, muted }: Circumstances): Words | undefined {
  const before = longAgo(samples, last);
  if (before === undefined) return undefined;
  const still = (counter: keyof Sample) => before[counter] === last[counter];
  if (still('heardPackets')) return still('sentPackets') ? NO_WAY : nothingHeard(peer, last.heardPackets === 0);
  if (!muted && last.silenced) return SILENCED;
  if (!muted && still('spokenEnergy')) return NOT_SPOKEN;
  const [lost, lostThere] = [lossOf(before, last), last.lostThere];
  if (lost > POOR.loss) return gaps(`You hear ${peer} with gaps`, lost);
  return lostThere > POOR.loss ? gaps(`${peer} hears you with gaps`, lostThere) : undefined;
}

const longAgo = (samples: readonly Sample[], last: Sample): Sample | undefined =>
  samples.findLast((sample) => last.atMs - sample.atMs >= SILENT_MS);

const hasStopped = (samples: readonly Sample[], last: Sample): boolean =>
  longAgo(samples, last)?.heardPackets === last.heardPackets;

const RELAY =
  'a firewall that keeps UDP from the media relay (ports 20000 to 29999), or MEDIA_ADDRESS is not reachable';

const NO_WAY: Words = {
  title: 'No sound gets through, either way',
  next: `Probable cause: your network is gone, ${RELAY} from here. Try another network.`,
};

function nothingHeard(peer: string, never: boolean): Words {
  if (!never) {
    const next = 'Probable cause: their network is gone, or their phone sends nothing while nobody speaks.';
    return { title: `Nothing more arrives from ${peer}`, next };
  }
  return { title: `Nothing arrives from ${peer}`, next: `Probable cause: ${RELAY} for one of you.` };
}

const SILENCED: Words = {
  title: 'We do not hear you',
  next: 'Probable cause: the system keeps the microphone silent. Look for a switch on the headset or a key of the keyboard.',
};

const NOT_SPOKEN: Words = {
  title: 'We do not hear you',
  next: 'Probable cause: the microphone is muted in the system settings, or the browser uses another one than you do.',
};

function gaps(title: string, loss: number): Words {
  return { title, next: `${percent(loss)} is lost on the way. A cable, or a place nearer to the Wi-Fi, helps most.` };
}
