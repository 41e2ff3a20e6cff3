/** Asks the browser each second how the call does (W3C webrtc-stats) and tells its quality. */
import { type Circumstances, type Quality, qualityOf, type Sample, WINDOW_MS } from './quality.ts';

export interface QualityWatch {
  stop(): void;
}

const EVERY_MS = 1000;

export function watchQuality(
  connection: RTCPeerConnection,
  circumstances: () => Circumstances,
  changed: (quality: Quality) => void,
): QualityWatch {
  let samples: readonly Sample[] = [];
  let known = '';
  let stopped = false;

  async function look(): Promise<void> {
    const sample = sampleOf(await connection.getStats(), isSilenced(connection));
    if (stopped) return;
    const now = circumstances();
    // What was counted on hold or muted says nothing about what is now.
    const key = JSON.stringify([now.muted, now.onHold]);
    samples = key === known ? [...samples.filter((each) => sample.atMs - each.atMs < WINDOW_MS), sample] : [sample];
    known = key;
    changed(qualityOf(samples, now));
  }

  const timer = setInterval(() => void look().catch(() => undefined), EVERY_MS);
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}

function isSilenced(connection: RTCPeerConnection): boolean {
  return connection.getSenders().some(({ track }) => track?.kind === 'audio' && track.muted);
}

/** A report is of any type and has any members: only numbers are taken. */
function sampleOf(stats: RTCStatsReport, silenced: boolean): Sample {
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  stats.forEach((report: Readonly<Record<string, unknown>>) => {
    if (report.kind === 'audio') found.set(String(report.type), report);
  });
  const number = (type: string, member: string): number | undefined => {
    const value = found.get(type)?.[member];
    return typeof value === 'number' ? value : undefined;
  };
  const roundTripSeconds = number('remote-inbound-rtp', 'roundTripTime');
  return {
    atMs: Date.now(),
    spokenEnergy: number('media-source', 'totalAudioEnergy') ?? 0,
    sentPackets: number('outbound-rtp', 'packetsSent') ?? 0,
    heardPackets: number('inbound-rtp', 'packetsReceived') ?? 0,
    lostPackets: number('inbound-rtp', 'packetsLost') ?? 0,
    roundTripMs: roundTripSeconds === undefined ? undefined : roundTripSeconds * 1000,
    lostThere: number('remote-inbound-rtp', 'fractionLost') ?? 0,
    silenced,
  };
}
