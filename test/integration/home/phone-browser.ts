import type { Browser, CDPSession, Page } from 'playwright-core';
import { expect } from 'vitest';

export interface PhoneBrowserOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly javaScript?: boolean;
  readonly reducedMotion?: boolean;
  readonly timezone?: string;
  /** `none`: a browser that can keep no passkey. `unverified`: the person never unlocks theirs. */
  readonly authenticator?: 'verified' | 'unverified' | 'none';
  /** Kept by the platform's account (BE and BS are set). */
  readonly synced?: boolean;
}

type Authenticator = Awaited<ReturnType<typeof addAuthenticator>>;
export type PhoneBrowser = Awaited<ReturnType<typeof openPhoneBrowser>>;

/**
 * A phone as a person has it: a real Chromium of a phone's size, with a passkey's authenticator in it.
 * @example
 * ```ts no-check
 * const phone = await openPhoneBrowser(await launchChromium());
 * await phone.pair((await world.phone.pairing('alice')).url);
 * await phone.page.getByTestId('approve').tap();
 * ```
 */
export async function openPhoneBrowser(browser: Browser, options: PhoneBrowserOptions = {}) {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 390, height: options.height ?? 844 },
    deviceScaleFactor: 2,
    hasTouch: true,
    colorScheme: options.dark ? 'dark' : 'light',
    // Pictures are taken at once: no fading in.
    reducedMotion: options.reducedMotion === false ? 'no-preference' : 'reduce',
    javaScriptEnabled: options.javaScript ?? true,
    ...(options.timezone === undefined ? {} : { timezoneId: options.timezone }),
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  /** What a blocked style or script (Content Security Policy) or a script's error says; it shows only here. */
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const add = (transport: 'internal' | 'usb') => addAuthenticator(cdp, transport, options);
  const authenticator = options.authenticator === 'none' ? nothing : await add('internal');

  return {
    context,
    page,
    cdp,
    authenticator,
    complaints,
    /** One more, as a security key. */
    addAuthenticator: () => add('usb'),
    /** Follows a pairing link, sets the phone up with a passkey, and ends on the page of requests. */
    async pair(link: string) {
      await page.goto(link);
      await page.getByTestId('set-up').tap();
      await page.waitForURL('**/phone');
      await page.getByTestId('signed-in-user').waitFor();
    },
    /** Follows a link of the sandbox's that signs in to read and to deny. */
    async openLink(link: string) {
      await page.goto(link);
      await page.waitForURL('**/phone');
      await page.getByTestId('signed-in-user').waitFor();
    },
    /** Signs in with the passkey that it has, from the page of sign-in. */
    async signIn() {
      await page.getByTestId('sign-in').tap();
      await page.getByTestId('signed-in-user').waitFor();
    },
    /** Opens one of the pages that the settings lead to. */
    async openSetting(name: string) {
      await page.getByRole('link', { name: 'Settings' }).tap();
      await page.getByRole('link', { name }).tap();
    },
    /** Signs out on the page of settings. */
    async signOut() {
      await page.getByRole('link', { name: 'Settings' }).tap();
      await page.getByTestId('sign-out').tap();
      await page.waitForURL('**/signin');
    },
    /** Fails where the browser complained. */
    async close() {
      await context.close();
      expect(complaints.splice(0)).toEqual([]);
    },
  };
}

/**
 * Elements whose words are wider than they are, or that reach out of the window. The banner, the brief charts and the periods reach
 * into the edges of their card, and the table may scroll.
 */
export const cutOff = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('header *, main *:not(:has(> .environment), :has(> .chart.brief), .head, .scroll, details:not([open]) *)')]
    .filter(({ scrollWidth, clientWidth }) => clientWidth > 1 && scrollWidth > clientWidth + 1)
    .concat(document.documentElement.scrollWidth > innerWidth ? [document.documentElement] : [])
    .map(({ outerHTML }) => outerHTML.slice(0, 200))`);

/** The kinds of signs of the visible parts that open: the pages draw a chevron; `list-item` is the browser's own sign. */
export const disclosureMarkers = (page: Page): Promise<string[]> =>
  page.evaluate(`[...new Set([...document.querySelectorAll('summary')]
    .filter((one) => one.getClientRects().length > 0)
    .map((one) => {
      const { display, listStyleType } = getComputedStyle(one);
      if (display === 'list-item' && listStyleType !== 'none') return display;
      const sign = getComputedStyle(one, '::before');
      return sign.borderRightWidth === '2px' && sign.transform !== 'none' ? 'chevron' : 'none';
    }))]`);

/** A virtual authenticator (Chrome DevTools Protocol, domain WebAuthn). */
async function addAuthenticator(
  cdp: CDPSession,
  transport: 'internal' | 'usb',
  { authenticator, synced = false }: PhoneBrowserOptions,
) {
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: authenticator !== 'unverified',
      automaticPresenceSimulation: true,
      defaultBackupEligibility: synced,
      defaultBackupState: synced,
    },
  });
  return {
    id: authenticatorId,
    /** Whether the person unlocks it when they are asked. */
    unlock: async (isUserVerified: boolean) => {
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    },
    /** Whether it is touched at all. */
    touch: async (enabled: boolean) => {
      await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    },
    credentials: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
  };
}

const nothing: Authenticator = {
  id: '',
  unlock: async () => {},
  touch: async () => {},
  credentials: async () => [],
};
