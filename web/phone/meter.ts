/** Plays what the other side sends, and tells how loud it is, so that one can see that sound arrives. */

export interface Meter {
  play(stream: MediaStream): void;
  stop(): void;
}

const EVERY_MS = 80;

/** `level` gets 0 to 1. */
export function createMeter(level: (value: number) => void): Meter {
  // Chromium decodes a remote track only for an element that plays it.
  const audio = new Audio();
  audio.autoplay = true;
  let context: AudioContext | undefined;
  let source: MediaStreamAudioSourceNode | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;

  function stop(): void {
    clearInterval(timer);
    source?.disconnect();
    audio.srcObject = null;
    level(0);
  }

  return {
    stop,
    play(stream) {
      stop();
      audio.srcObject = stream;
      // Refused where nobody has touched the page yet; the click on Answer or Call was a touch.
      void audio.play().catch(() => undefined);
      context ??= new AudioContext();
      void context.resume();
      source = context.createMediaStreamSource(stream);
      const analyser = new AnalyserNode(context, { fftSize: 512 });
      source.connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        level(loudness(samples));
      }, EVERY_MS);
    },
  };
}

/** -50 dB and below are silence, -10 dB is loud. */
function loudness(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-12) + 50) / 40));
}
