/** The form to sign in with; in a demonstration also a button for each account, and the fragment of the address. */

import type { PhoneConfig } from '../shared/config.ts';
import { element } from '../shared/dom.ts';
import { type Account, accountOf, accountOfFragment, remembered } from './account.ts';
import { showNotice } from './notice.ts';
import { explainMicrophone } from './reasons.ts';
import { canBeWoken, keptAccount } from './wake.ts';

export function prepareSignIn(config: PhoneConfig, signIn: (account: Account, isWoken: boolean) => void): void {
  const [name, password] = [element('name', HTMLInputElement), element('password', HTMLInputElement)];
  const displayName = element('display-name', HTMLInputElement);
  const wake = element('wake', HTMLInputElement);
  element('wake-choice', HTMLElement).hidden = config.vapidKey === undefined || !canBeWoken();
  const known = remembered(localStorage);
  [name.value, displayName.value] = [known.name, known.displayName];
  element('domain', HTMLElement).textContent = config.domain;
  element('sign-in', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const empty = [name, password].find((field) => field.value.trim() === '');
    if (empty !== undefined) return void empty.focus();
    signIn(accountOf(name.value, password.value, displayName.value, config.domain), wake.checked);
    password.value = '';
  });
  for (const account of config.accounts ?? []) {
    addDemo(account.name, () => signIn(accountOf(account.name, account.password, '', config.domain), wake.checked));
  }
  // Said before somebody signs in and dials in vain.
  if (!window.isSecureContext) {
    showNotice(element('sign-in-notice', HTMLElement), explainMicrophone('InsecureContext', config.secureUrl));
  }
  // Open only now: before there is somebody to take it, Enter would send the password as a plain form.
  element('sign-in-fields', HTMLFieldSetElement).disabled = false;
  (name.value === '' ? name : password).focus();
  const given = takeFragment(config.domain);
  const kept = keptAccount();
  wake.checked = kept !== undefined;
  if (given === undefined) return void (kept && signIn(kept, true));
  name.value = given.user;
  // Outside a demonstration a link signs nobody in.
  if (config.demo && given.password !== '') signIn(given, false);
}

/** Takes it out of the address, too: a password must not stay in the history. */
function takeFragment(domain: string): Account | undefined {
  const given = accountOfFragment(location.hash, domain);
  if (given !== undefined) history.replaceState(null, '', location.pathname + location.search);
  return given;
}

function addDemo(name: string, chosen: () => void): void {
  element('demo', HTMLElement).hidden = false;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'chip';
  button.textContent = name;
  button.addEventListener('click', chosen);
  element('demo-accounts', HTMLElement).append(button);
}
