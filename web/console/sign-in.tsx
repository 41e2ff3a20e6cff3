/** Asks for the API token; it stays in this tab. */
import { useState } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { Trouble } from './parts.tsx';
import { type Access, signIn } from './session.ts';

export function SignIn({ access }: { readonly access: Exclude<Access, { at: 'open' }> }) {
  return (
    <main class="gate" id="main">
      <img src="/favicon.svg" alt="" width="56" height="56" />
      {access.at === 'locked' ? <TokenForm wrong={access.wrong} /> : <Refused why={access.why} />}
    </main>
  );
}

function TokenForm({ wrong }: { readonly wrong: boolean }) {
  const [given, setGiven] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (given.trim() !== '') signIn(given.trim());
  };
  return (
    <form onSubmit={submit} aria-labelledby="gate-title">
      <h1 id="gate-title">Sign in to Viaduct</h1>
      <p>The console wants the API token of this server: the value of its setting API_TOKEN.</p>
      {wrong && (
        <Trouble>
          <b>This is not the token of this server.</b>
          <p>It is compared letter by letter; the setting is read when Viaduct starts.</p>
        </Trouble>
      )}
      <label>
        API token
        <input
          type="password"
          id="token"
          autocomplete="current-password"
          spellcheck={false}
          required
          ref={(field) => field?.focus()}
          value={given}
          onInput={(event) => setGiven(event.currentTarget.value)}
        />
      </label>
      <button class="primary" type="submit">
        Sign in
      </button>
      <p class="soft small">
        <Icon name="key" /> It is kept until this tab is closed, and sent to this server only.
      </p>
    </form>
  );
}

function Refused({ why }: { readonly why: string }) {
  return (
    <div class="refused">
      <h1>The console is not open from here</h1>
      <Trouble>{why}</Trouble>
      <p>
        <a href="/phone">The phone page</a> works without it.
      </p>
    </div>
  );
}
