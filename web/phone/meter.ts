/** Plays what the other side sends, and tells how loud both sides are, so that one can see that sound comes and goes. */

export interface Meter {
  play(heard: MediaStream): void;
  /** Only its loudness is told. */
  speak(spoken: MediaStream): void;
  stop(): void;
}

export interface MeterOptions {
  /** 0 to 1, as `spoken`. */
  heard(level: number): void;
  spoken(level: number): void;
  /** The browser plays nothing before somebody has touched the page. */
  blocked(isBlocked: boolean): void;
}

const EVERY_MS = 80;

export function createMeter({ heard, spoken, blocked }: MeterOptions): Meter {
  // Chromium decodes a remote track only for an element that plays it.
  const audio = new Audio();
  audio.autoplay = true;
  const [theirs, ours] = [createGauge(heard), createGauge(spoken)];
  let context: AudioContext | undefined;

  function play(): void {
    void context?.resume();
    audio.play().then(
      () => blocked(false),
      (thrown) => blocked(thrown instanceof Error && thrown.name === 'NotAllowedError'),
    );
  }

  // A touch is what the browser waits for.
  for (const touch of ['pointerdown', 'keydown'] as const) {
    addEventListener(touch, () => audio.srcObject !== null && audio.paused && play());
  }

  return {
    play(stream) {
      context ??= new AudioContext();
      audio.srcObject = stream;
      theirs.listen(context, stream);
      play();
    },
    speak(stream) {
      context ??= new AudioContext();
      ours.listen(context, stream);
    },
    stop() {
      audio.srcObject = null;
      blocked(false);
      theirs.stop();
      ours.stop();
    },
  };
}

function createGauge(level: (value: number) => void) {
  let source: MediaStreamAudioSourceNode | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;

  function stop(): void {
    clearInterval(timer);
    source?.disconnect();
    level(0);
  }

  function listen(context: AudioContext, stream: MediaStream): void {
    stop();
    source = context.createMediaStreamSource(stream);
    const analyser = new AnalyserNode(context, { fftSize: 512 });
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      level(loudness(samples));
    }, EVERY_MS);
  }

  return { listen, stop };
}

/** -50 dB and below are silence, -10 dB is loud. */
function loudness(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-12) + 50) / 40));
}
