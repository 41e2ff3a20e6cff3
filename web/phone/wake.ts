/**
 * Being called while the page is closed: our subscription at the browser's push service, as parameters of the Contact
 * (RFC 8599 with Web Push), and the service worker that shows who calls.
 *
 * Only after the user asked for it: the page must sign in by itself when it is opened from a notification, so its account
 * is kept in this browser, with the password, until he signs out.
 */
import type { Account } from './account.ts';

const WORKER = '/phone-worker.js';
const SCOPE = '/phone';
const KEPT = 'viaduct.kept-account';

/** Not where a page came over plain HTTP from another host, nor in a private window of some browsers. */
export function canBeWoken(): boolean {
  return 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;
}

/** The parameters of our Contact URI. Throws where the user or the browser will not have it. */
export async function wakeParameters(vapidKey: string): Promise<string> {
  if ((await Notification.requestPermission()) !== 'granted') throw new Error('notifications are not allowed');
  await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  const { pushManager } = await navigator.serviceWorker.ready;
  const known = await pushManager.getSubscription();
  if (known !== null && isFor(known, vapidKey)) return parametersOf(known);
  await known?.unsubscribe();
  return parametersOf(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: vapidKey }));
}

export async function sleepNoMore(): Promise<void> {
  localStorage.removeItem(KEPT);
  const worker = await navigator.serviceWorker?.getRegistration(SCOPE);
  const subscription = await worker?.pushManager.getSubscription();
  await subscription?.unsubscribe();
}

/** The page is here: what the worker has shown is no news any more. */
export async function closeNotifications(): Promise<void> {
  const worker = await navigator.serviceWorker?.getRegistration(SCOPE);
  for (const shown of (await worker?.getNotifications()) ?? []) shown.close();
}

/** The worker has been woken, and this page may have slept, too. */
export function onWake(woken: () => void): void {
  navigator.serviceWorker?.addEventListener('message', ({ data }) => data === 'wake' && woken());
}

export function keepAccount(account: Account): void {
  localStorage.setItem(KEPT, JSON.stringify(account));
}

export function keptAccount(): Account | undefined {
  const kept = localStorage.getItem(KEPT);
  const account: Account | null = kept === null ? null : JSON.parse(kept);
  return account ?? undefined;
}

function isFor({ options }: PushSubscription, vapidKey: string): boolean {
  return options.applicationServerKey !== null && base64url(options.applicationServerKey) === vapidKey;
}

/** `pn-param`, which RFC 8599 leaves unused, says with what the push is encrypted (RFC 8291). */
function parametersOf(subscription: PushSubscription): string {
  const [p256dh, auth] = [subscription.getKey('p256dh'), subscription.getKey('auth')];
  const keys = p256dh === null || auth === null ? '' : `;pn-param=${base64url(p256dh)}.${base64url(auth)}`;
  return `;pn-provider=webpush;pn-prid=${encodeURIComponent(subscription.endpoint)}${keys}`;
}

function base64url(bytes: ArrayBuffer): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
