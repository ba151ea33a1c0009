import type { Browser, CDPSession } from 'playwright-core';
import { openPhoneBrowser } from '../home/phone-browser.ts';

/** What a person would see of a notification. */
interface ShownNotification {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly renotify: boolean;
  readonly silent: boolean;
  readonly data: { readonly id?: string };
}

export type RingingPhone = Awaited<ReturnType<typeof openRingingPhone>>;

/**
 * A paired phone whose service worker is there. The browser that comes by npm draws no notifications and refuses them
 * all: what the worker shows, asks for and closes goes to a list instead, and that alone.
 */
export async function openRingingPhone(browser: Browser, link: string, address: string) {
  const phone = await openPhoneBrowser(browser);
  const found = phone.context.waitForEvent('serviceworker');
  await phone.pair(link);
  const worker = await found;
  await phone.page.evaluate('navigator.serviceWorker.ready');
  const registrationId = await registrationOf(phone.cdp, `${address}/phone`);
  await worker.evaluate(screen);
  return {
    ...phone,
    worker,
    /** What a push service hands to the browser, decrypted. */
    deliver: async (text: string) => {
      await phone.cdp.send('ServiceWorker.deliverPushMessage', {
        origin: address,
        registrationId,
        data: text,
      });
    },
    /** Those on the screen, the oldest first. */
    notifications: (): Promise<ShownNotification[]> => worker.evaluate('self.shown.map(({ close, ...rest }) => rest)'),
    /** How often something was put on the screen. */
    timesShown: (): Promise<number> => worker.evaluate('self.times'),
    /** Taps a notification; where it led. */
    tap: (tag: string): Promise<{ focused: string[]; opened: string[] }> =>
      worker.evaluate(`(async () => {
        const notification = self.shown.find((one) => one.tag === ${JSON.stringify(tag)});
        const event = new ExtendableEvent('notificationclick');
        Object.defineProperty(event, 'notification', { value: notification });
        const waits = [];
        Object.defineProperty(event, 'waitUntil', { value: (work) => waits.push(work) });
        self.focused = [];
        self.opened = [];
        self.dispatchEvent(event);
        await Promise.all(waits);
        return { focused: self.focused, opened: self.opened };
      })()`),
  };
}

async function registrationOf(cdp: CDPSession, scope: string): Promise<string> {
  const known = new Promise<string>((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const ours = registrations.find(({ scopeURL }) => scopeURL === scope);
      if (ours !== undefined) resolve(ours.registrationId);
    });
  });
  await cdp.send('ServiceWorker.enable');
  return known;
}

/** In the worker: a screen of its own, by what the Notifications API says of tags. */
const screen = `
  self.shown = [];
  self.times = 0;
  ServiceWorkerRegistration.prototype.showNotification = async (title, options = {}) => {
    const { body = '', tag = '', renotify = false, silent = false, data = {} } = options;
    const one = { title, body, tag, renotify, silent, data };
    one.close = () => { self.shown = self.shown.filter((other) => other !== one); };
    self.shown = self.shown.filter((other) => tag === '' || other.tag !== tag).concat(one);
    self.times += 1;
  };
  ServiceWorkerRegistration.prototype.getNotifications = async ({ tag } = {}) =>
    self.shown.filter((one) => tag === undefined || one.tag === tag);
  WindowClient.prototype.focus = async function () { self.focused.push(this.url); return this; };
  Clients.prototype.openWindow = async (url) => { self.opened.push(url); return null; };
`;
