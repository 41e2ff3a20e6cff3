/**
 * How to make a first call: the phone page, and what to type into a softphone. It is open as long as nobody has made
 * one, and as somebody left it after that. The accounts to try are told to a browser on this machine only.
 */
import { signal } from '@preact/signals';
import { loadConfig, type PhoneConfig } from '../shared/config.ts';
import { Icon } from './icons.tsx';
import { Copyable } from './parts.tsx';

const KEY = 'viaduct.first-call';
const config = signal<PhoneConfig | undefined>(undefined);
/** `undefined`: nobody has opened or closed it yet. */
const chosen = signal(localStorage.getItem(KEY) ?? undefined);

export function startFirstCall(): void {
  loadConfig().then(
    (found) => {
      config.value = found;
    },
    () => undefined,
  );
}

function choose(next: 'open' | 'closed'): void {
  chosen.value = next;
  localStorage.setItem(KEY, next);
}

export function FirstCall({ registered, answered }: { readonly registered: number; readonly answered: number }) {
  const found = config.value;
  if (found === undefined) return null;
  if ((chosen.value ?? (answered === 0 ? 'open' : 'closed')) === 'closed') {
    return (
      <button type="button" class="chip again" onClick={() => choose('open')}>
        How to connect a phone
      </button>
    );
  }
  const [page, softphone = page] = found.accounts ?? [];
  return (
    <section class="card first-call" aria-labelledby="first-call-title">
      <header>
        <h2 id="first-call-title">{answered === 0 ? 'Make a first call' : 'Connect a phone'}</h2>
        <button
          type="button"
          class="quiet"
          onClick={() => choose('closed')}
          aria-label="Close these steps"
          title="Close"
        >
          <Icon name="close" />
        </button>
      </header>
      <ol class="steps">
        <li>
          <div>
            <h3>In the browser</h3>
            <p>
              {page === undefined
                ? 'Sign in to the phone page with an account of this server.'
                : 'Sign in to the phone page with this account, and allow the microphone.'}
            </p>
            {page === undefined ? (
              <p class="soft">
                An account: <code>npx viaduct user add carol</code>
              </p>
            ) : (
              <dl>
                <dt>Name</dt>
                <dd>{page.name}</dd>
                <dt>Password</dt>
                <dd>
                  <Copyable text={page.password} label="password" />
                </dd>
              </dl>
            )}
            <a class="primary" href={page === undefined ? '/phone' : phoneLink(page)}>
              Open the phone
            </a>
          </div>
        </li>
        <li>
          <div>
            <h3>On a softphone</h3>
            <p>Linphone, baresip, a desk phone: any SIP account will do.</p>
            <dl>
              {found.sip.map(({ transport, address }) => (
                <Server key={transport} transport={transport} address={address} />
              ))}
              <dt>Domain</dt>
              <dd>
                <Copyable text={found.domain} label="domain" />
              </dd>
              {softphone !== undefined && (
                <>
                  <dt>Name</dt>
                  <dd>{softphone.name}</dd>
                  <dt>Password</dt>
                  <dd>
                    <Copyable text={softphone.password} label="password" />
                  </dd>
                </>
              )}
            </dl>
          </div>
        </li>
        <li>
          <div>
            <h3>Call</h3>
            <p>
              Dial <b>{softphone?.name ?? 'the other name'}</b> on the page, and answer on the softphone: both hear each
              other.
            </p>
            <p class="soft">
              {registered === 0 ? 'Nobody is registered yet.' : 'Somebody is registered already: see '}
              {registered > 0 && <a href="#/registrations">who can be called</a>}
            </p>
          </div>
        </li>
      </ol>
    </section>
  );
}

function Server({ transport, address }: PhoneConfig['sip'][number]) {
  return (
    <>
      <dt>Server ({transport.toUpperCase()})</dt>
      <dd>
        <Copyable text={address} label={`${transport} server`} />
      </dd>
    </>
  );
}

/** The fragment never leaves the browser; the phone page signs in with it. */
function phoneLink({ name, password }: { readonly name: string; readonly password: string }): string {
  return `/phone#${new URLSearchParams({ user: name, password })}`;
}
