/**
 * The service worker of the phone page: it is all that is left of a closed page. A push says that somebody calls, and the
 * call waits at the server: it shows who, and opens the page, which registers and gets the call.
 */

// A module, so that `self` is ours.
export {};

interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Pushed extends Waiting {
  readonly data: { text(): string } | null;
}

interface Clicked extends Waiting {
  readonly notification: Notification;
}

interface Window {
  readonly url: string;
  focus(): Promise<unknown>;
  postMessage(message: string): void;
}

/** What we use of ServiceWorkerGlobalScope, whose types cannot stand beside those of pages. */
declare const self: {
  readonly clients: {
    matchAll(options: { readonly type: 'window'; readonly includeUncontrolled: boolean }): Promise<readonly Window[]>;
    openWindow(url: string): Promise<unknown>;
  };
  readonly registration: { showNotification(title: string, options: NotificationOptions): Promise<void> };
  addEventListener(type: 'push', listener: (event: Pushed) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: Clicked) => void): void;
};

const PAGE = '/phone';

self.addEventListener('push', (event) => event.waitUntil(ring(callerOf(event))));

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open());
});

function callerOf({ data }: Pushed): string {
  try {
    const { from }: { readonly from?: unknown } = JSON.parse(data?.text() ?? '{}');
    return typeof from === 'string' && from !== '' ? from : 'Somebody';
  } catch {
    return 'Somebody';
  }
}

/** A page that sleeps in a tab may answer by itself; the notification is owed to the browser in any case. */
async function ring(from: string): Promise<void> {
  for (const page of await pages()) page.postMessage('wake');
  await self.registration.showNotification(`${from} is calling`, {
    body: 'Open the phone to answer.',
    icon: '/favicon.svg',
    tag: 'call',
    requireInteraction: true,
  });
}

async function open(): Promise<void> {
  const [page] = await pages();
  if (page === undefined) return void (await self.clients.openWindow(PAGE));
  page.postMessage('wake');
  await page.focus();
}

async function pages(): Promise<readonly Window[]> {
  const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return all.filter(({ url }) => new URL(url).pathname === PAGE);
}
