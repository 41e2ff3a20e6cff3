/** The frame around every view: navigation at the side, or along the top where the screen is narrow. */
import { useEffect, useRef } from 'preact/hooks';
import type { Health } from './answers.ts';
import { Icon } from './icons.tsx';
import { KeyHelp, showKeys } from './keys.tsx';
import { health, statistics, trouble } from './live.ts';
import { type Mood, Status, Trouble } from './parts.tsx';
import { hrefOf, place } from './place.ts';
import { access, signOut, token } from './session.ts';
import { SignIn } from './sign-in.tsx';
import { ThemeButton } from './theme.tsx';
import { type View, views } from './views.ts';
import { brief, span } from './words.ts';

export function Shell() {
  const allowed = access.value;
  if (allowed.at !== 'open') return <SignIn access={allowed} />;
  const { view } = place.value;
  const shown = views.value.find(({ path }) => path === view);
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <Side shown={shown} />
      <Main shown={shown} />
      <KeyHelp />
    </div>
  );
}

/** A button and not a link, because the fragment of the address names the view. */
function skip(): void {
  document.getElementById('main')?.focus();
}

function Side({ shown }: { readonly shown: View | undefined }) {
  const nav = useRef<HTMLElement>(null);
  const path = shown?.path;
  useEffect(() => {
    const [bar, entry] = [nav.current, nav.current?.querySelector('[aria-current]')];
    if (path === undefined || !bar || !entry) return;
    // Where the bar is narrower than its entries. By scrollIntoView the next Tab would begin there, past the first stop.
    const [seen, wanted] = [bar.getBoundingClientRect(), entry.getBoundingClientRect()];
    bar.scrollLeft += wanted.left + wanted.width / 2 - (seen.left + seen.width / 2);
  }, [path]);
  return (
    <div class="side">
      <a class="brand" href={hrefOf('')}>
        <img src="/favicon.svg" alt="" width="28" height="28" />
        Viaduct
      </a>
      <nav aria-label="Views" ref={nav}>
        {views.value.map(({ path, title, icon }) => (
          <a key={path} href={hrefOf(path)} aria-current={path === shown?.path ? 'page' : undefined}>
            <Icon name={icon} />
            <span>{title}</span>
            <Badge path={path} />
          </a>
        ))}
      </nav>
      <div class="elsewhere">
        <a href="/phone">
          <Icon name="phone" />
          <span>Phone</span>
        </a>
        <a href="/api">
          <Icon name="reference" />
          <span>REST</span>
        </a>
      </div>
      <div class="foot">
        <ThemeButton />
        <button type="button" class="quiet keys" onClick={showKeys} aria-label="Keyboard" title="Keyboard (?)">
          <Icon name="keyboard" />
        </button>
        {token() !== undefined && (
          <button type="button" class="quiet" onClick={signOut} aria-label="Sign out" title="Sign out">
            <Icon name="leave" />
          </button>
        )}
      </div>
    </div>
  );
}

function Badge({ path }: { readonly path: string }) {
  const numbers = statistics.value;
  if (numbers === undefined) return null;
  const value = { calls: numbers.calls.inProgress, registrations: numbers.registrations.bindings }[path] ?? 0;
  return value === 0 ? null : <small class="badge num">{brief(value)}</small>;
}

function Main({ shown }: { readonly shown: View | undefined }) {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const { id } = place.value;
  const title = (id === undefined ? shown?.title : shown?.one) ?? 'Not found';
  useEffect(() => {
    document.title = `${title} · Viaduct`;
    // A new view is read from its top, by eye and by ear.
    if (!first.current) main.current?.focus();
    first.current = false;
    window.scrollTo(0, 0);
  }, [title, id]);
  const Body = shown?.body;
  return (
    <main id="main" tabIndex={-1} ref={main}>
      <header class="head">
        <div>
          <h1>{title}</h1>
          <p class="soft">{shown === undefined ? 'There is no such view.' : <About view={shown} id={id} />}</p>
        </div>
        <Pulse />
      </header>
      {trouble.value !== undefined && <Trouble>{trouble.value}</Trouble>}
      {Body === undefined ? <a href={hrefOf('')}>To the overview</a> : <Body id={id} />}
    </main>
  );
}

function About({ view, id }: { readonly view: View; readonly id: string | undefined }) {
  if (id === undefined) return <>{view.about}</>;
  return (
    <a class="back" href={hrefOf(view.path)}>
      <Icon name="back" />
      All {view.title.toLowerCase()}
    </a>
  );
}

const words: Readonly<Record<Health['status'], string>> = { ok: 'Running', degraded: 'Degraded', draining: 'Stopping' };

/** Whether all is well, in one word. */
function Pulse() {
  const state = health.value;
  const lost = trouble.value !== undefined;
  if (state === undefined && !lost) return null;
  const mood: Mood = lost ? 'bad' : state?.status === 'ok' ? 'good' : 'warn';
  const word = lost || state === undefined ? 'No answer' : words[state.status];
  return (
    <div class="pulse">
      <Status mood={mood}>{word}</Status>
      {state !== undefined && (
        <small class="soft">
          up {span(state.uptimeSeconds)} · version {state.version}
        </small>
      )}
    </div>
  );
}
