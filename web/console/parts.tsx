/** The pieces that several views are made of. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { MediaKind } from './answers.ts';
import { Icon, type IconName } from './icons.tsx';
import { hrefOf } from './place.ts';
import { type SentencePart, sentenceParts, sipName } from './words.ts';

/** Who it is: the name large, the domain small. Both come from the network, so they are text and nothing else. */
export function Party({ uri }: { readonly uri: string }) {
  const { user, host } = sipName(uri);
  return (
    <span class="party" title={uri}>
      <b dir="auto">{user}</b>
      {host !== '' && <small>{host}</small>}
    </span>
  );
}

const mediaNames = { webrtc: 'WebRTC', rtp: 'RTP', sdes: 'SDES', osrtp: 'OSRTP' } as const;
const mediaMeanings = {
  webrtc: 'A browser: DTLS-SRTP with ICE',
  rtp: 'A telephone: plain RTP',
  sdes: 'A telephone that encrypts: SRTP keyed by SDES',
  osrtp: 'A telephone that encrypts where the other side does: RTP with SDES keys beside it',
} as const;

export function Media({ kind }: { readonly kind: MediaKind }) {
  if (kind === null) return <span class="soft">unknown</span>;
  return (
    <span class="tag" data-media={kind} title={mediaMeanings[kind]}>
      {mediaNames[kind]}
    </span>
  );
}

/** Of both sides; a call that never came to it has none. */
export function MediaPair({ caller, callee }: { readonly caller: MediaKind; readonly callee: MediaKind }) {
  if (caller === null && callee === null) return <span class="soft">–</span>;
  return (
    <span class="pair">
      <Media kind={caller} />
      <i aria-hidden="true">↔</i>
      <Media kind={callee} />
    </span>
  );
}

export type Mood = 'good' | 'warn' | 'bad' | 'quiet' | 'busy';

export function Status({ mood, children }: { readonly mood: Mood; readonly children: ComponentChildren }) {
  return (
    <span class="status" data-mood={mood}>
      {children}
    </span>
  );
}

interface CardProps {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

export function Card({ title, note, wide = false, children }: CardProps) {
  return (
    <section class={wide ? 'card wide' : 'card'} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
      </header>
      {children}
    </section>
  );
}

/** A sentence of ours, with what is to be typed and where to look. */
export function Words({ text }: { readonly text: string }) {
  return (
    <span>
      {sentenceParts(text).map((part, index) => (
        <Part key={`${index} ${part.text}`} part={part} />
      ))}
    </span>
  );
}

function Part({ part }: { readonly part: SentencePart }) {
  if (part.kind === 'view') return <a href={hrefOf(part.view)}>{part.text}</a>;
  return part.kind === 'code' ? <code>{part.text}</code> : part.text;
}

/** Nothing there yet: what it would be, and what brings it here. */
export function Empty({
  icon,
  title,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <b>{title}</b>
      <p>{children}</p>
    </div>
  );
}

export function Trouble({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="trouble" role="alert">
      <Icon name="alert" />
      <div>{children}</div>
    </div>
  );
}

/** A value to be typed elsewhere, with a button that copies it. */
interface CopyableProps {
  readonly text: string;
  readonly label: string;
  /** The text stands elsewhere already. */
  readonly quiet?: boolean;
}

export function Copyable({ text, label, quiet = false }: CopyableProps) {
  const [copied, setCopied] = useState(false);
  const copy = () =>
    navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    });
  return (
    <span class={quiet ? 'copyable quietly' : 'copyable'}>
      {!quiet && <code>{text}</code>}
      <button type="button" onClick={copy} aria-label={`Copy ${label}`} title={copied ? 'Copied' : 'Copy'}>
        <Icon name={copied ? 'good' : 'copy'} />
        {quiet && (copied ? 'Copied' : 'Copy')}
      </button>
    </span>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status" aria-label="Loading">
      <i />
      <i />
      <i />
    </div>
  );
}
