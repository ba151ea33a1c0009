import { inflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { createHttpBrowser } from '../home/http-browser.ts';
import { openPhoneBrowser, type PhoneBrowser } from '../home/phone-browser.ts';
import { startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { gatewayAsking, proposalDetails } from '../sandbox/proposal-fixture.ts';
import { openPushService } from './push-service.ts';
import { openRingingPhone, type RingingPhone } from './service-worker-world.ts';

const [world, service, browser] = await Promise.all([
  startIdentityProvider({ push: { loopback: true } }),
  openPushService(),
  launchChromium(),
]);
const gateway = await gatewayAsking(world);
afterAll(async () => {
  await browser.close();
  await world.close();
  await service.close();
});
beforeEach(async () => {
  world.database().exec('DELETE FROM push_subscriptions');
  for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
  const rings = world.database().prepare('SELECT * FROM request_notifications');
  await expect.poll(() => rings.all()).toEqual([]);
  service.received.length = 0;
});
afterEach(() => {
  expect(service.complaints).toEqual([]);
});

const pairing = async () => (await world.phone.pairing('alice')).url;

/** What is packed in a PNG: all chunks of its picture (PNG §5.3). */
function pictureOf(png: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const data = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(data);
  }
  return Buffer.concat(parts);
}

/** Posts as the page's own script does. */
const post = (phone: PhoneBrowser, path: string, fields: Record<string, string>) =>
  phone.page.evaluate(
    `(async () => {
      const form_token = document.querySelector('input[name=form_token]').value;
      const body = new URLSearchParams({ form_token, ...${JSON.stringify(fields)} });
      const answer = await window.tradeAgent.fetch(${JSON.stringify(path)}, {
        method: 'POST', body, headers: { accept: 'application/json' } });
      return answer.status;
    })()`,
  ) as Promise<number>;
const subscribe = (phone: PhoneBrowser, name: string) =>
  post(phone, '/phone/push/subscriptions', { subscription: JSON.stringify(service.subscribe(name)) });

describe('a phone that rings', () => {
  let phone: RingingPhone;
  let count = 0;
  beforeEach(async () => {
    phone = await openRingingPhone(browser, await pairing(), world.issuer);
    expect(await subscribe(phone, `phone-${++count}`)).toBe(201);
  });
  afterEach(() => phone.close());
  /** The next push, decrypted by the push service, as it reaches the browser. */
  const arrives = async (at: number) => {
    await expect.poll(() => service.received.length).toBeGreaterThan(at);
    const push = service.received[at];
    await phone.deliver(push?.text ?? '');
    return push;
  };
  const titles = async () => (await phone.notifications()).map(({ title }) => title);

  it('shows the order that waits, and takes it off the screen when it is settled elsewhere', async () => {
    const { auth_req_id } = await gateway.ask(proposalDetails('order'));
    const push = await arrives(0);
    await expect
      .poll(() => phone.notifications())
      .toMatchObject([
        {
          title: 'Buy 5 AAPL · PAPER',
          body: 'At most $900.00 in all · Code K7QP',
          tag: push?.topic,
          renotify: false,
          data: { id: push?.message.id },
        },
      ]);
    await gateway.tell(auth_req_id, 'cancelled', 'withdrawn in the terminal');
    const taken = await arrives(1);
    expect(taken?.message.kind).toBe('settled');
    await expect.poll(titles).toEqual([]);
    expect(await phone.timesShown()).toBe(1);
  });

  it('rings again in the same place, and keeps two orders apart', async () => {
    await gateway.ask(proposalDetails('order'));
    const first = await arrives(0);
    await gateway.ask(proposalDetails('lift'));
    await arrives(1);
    await expect.poll(titles).toHaveLength(2);
    await phone.deliver(JSON.stringify({ ...first?.message, again: true }));
    await expect.poll(() => phone.timesShown()).toBe(3);
    const shown = await phone.notifications();
    expect(shown.map(({ title, renotify }) => [title, renotify])).toEqual([
      [expect.stringContaining('Resume trading'), false],
      ['Buy 5 AAPL · PAPER', true],
    ]);
  });

  it('says so silently instead, where each push must show something', async () => {
    await phone.worker.evaluate(
      `Object.defineProperty(navigator, 'userAgent', { value: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148' })`,
    );
    const request = await gateway.ask(proposalDetails('order'));
    const push = await arrives(0);
    await gateway.tell(request.auth_req_id, 'cancelled');
    await arrives(1);
    await expect
      .poll(() => phone.notifications())
      .toMatchObject([{ title: 'Withdrawn', tag: push?.topic, silent: true, data: {} }]);
  });

  it('shows something of a push that it can’t read', async () => {
    for (const text of ['', 'not json', '{"kind":"ask"}', 'null']) await phone.deliver(text);
    await expect.poll(() => phone.timesShown()).toBe(4);
    expect(await titles()).toEqual(['Open your phone page']);
  });

  it('leads to the card: in the window that is there, or a new one', async () => {
    await gateway.ask(proposalDetails('order'));
    const push = await arrives(0);
    await phone.page.getByTestId('request').waitFor();
    await expect.poll(titles).toHaveLength(1);
    expect(await phone.tap(push?.topic ?? '')).toEqual({ focused: [`${world.issuer}/phone`], opened: [] });
    expect(await titles()).toEqual([]);
    await phone.deliver(push?.text ?? '');
    await expect.poll(titles).toHaveLength(1);
    await phone.page.goto('about:blank');
    await expect
      .poll(() => phone.worker.evaluate(`clients.matchAll({ type: 'window' }).then(({ length }) => length)`))
      .toBe(0);
    expect(await phone.tap(push?.topic ?? '')).toEqual({
      focused: [],
      opened: [`/phone?request=${push?.message.id}`],
    });
  });

  it('keeps nothing of anybody’s in its cache', async () => {
    await gateway.ask(proposalDetails('order'));
    await phone.page.getByTestId('request').waitFor();
    const kept = await phone.worker.evaluate(`(async () => {
      const texts = [];
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
          texts.push([new URL(request.url).pathname, await (await cache.match(request)).text()]);
        }
      }
      return texts;
    })()`);
    expect(kept).toEqual([
      [expect.stringMatching(/^\/phone\/offline\//), expect.stringContaining('nothing can be approved right now')],
    ]);
  });

  it('is rung no more by a browser that was signed out', async () => {
    await phone.signOut();
    await phone.page.getByTestId('sign-in').waitFor();
    await gateway.ask(proposalDetails('order'));
    await expect.poll(() => world.phone.requests('alice')).toHaveLength(1);
    const other = await openRingingPhone(browser, await pairing(), world.issuer);
    expect(await subscribe(other, 'other')).toBe(201);
    await gateway.ask(proposalDetails('lift'));
    await expect.poll(() => service.received.map(({ browser: name }) => name)).toEqual(['other']);
    await other.close();
  });
});

describe('the page', () => {
  let phone: PhoneBrowser;
  beforeEach(async () => {
    phone = await openPhoneBrowser(browser);
  });
  afterEach(() => phone.close());

  it('tells which requests it has shown, once, and only while somebody looks', async () => {
    const seen: string[] = [];
    phone.page.on('request', (request) => {
      if (request.url().endsWith('/seen')) seen.push(request.url());
    });
    await phone.pair(await pairing());
    await gateway.ask(proposalDetails('order'));
    await phone.page.getByTestId('request').waitFor();
    const [request] = await world.phone.requests('alice');
    await expect.poll(() => seen).toEqual([`${world.issuer}/phone/requests/${request?.id}/seen`]);
    const rows = world.database().prepare('SELECT seen_at FROM request_notifications WHERE request = ?');
    await expect.poll(() => rows.get(request?.id)).toMatchObject({ seen_at: expect.any(Number) });
    await phone.page.evaluate(
      `Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })`,
    );
    await gateway.ask(proposalDetails('lift'));
    await expect.poll(() => world.phone.requests('alice')).toHaveLength(2);
    await phone.page.getByText('Resume trading').first().waitFor({ state: 'attached' });
    expect(seen).toHaveLength(1);
    await phone.page.evaluate(`
      delete document.visibilityState;
      document.dispatchEvent(new Event('visibilitychange'))`);
    await expect.poll(() => seen).toHaveLength(2);
  });

  it('can be installed', async () => {
    await phone.pair(await pairing());
    const { url, errors, data = '' } = await phone.cdp.send('Page.getAppManifest');
    expect([url, errors]).toEqual([`${world.issuer}/phone/manifest.webmanifest`, []]);
    const { installabilityErrors } = await phone.cdp.send('Page.getInstallabilityErrors');
    expect(installabilityErrors).toEqual([]);
    // What browsers ask for, one by one: this build finds nothing wrong with a page without any of it, either.
    const manifest = JSON.parse(data);
    expect(manifest).toMatchObject({
      name: 'trade-agent',
      id: '/phone',
      start_url: '/phone',
      display: 'standalone',
    });
    for (const { src, sizes, type } of manifest.icons) {
      const answer = await fetch(new URL(src, world.issuer));
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
      const png = Buffer.from(await answer.arrayBuffer());
      expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(sizes);
      expect(inflateSync(pictureOf(png)).length).toBeGreaterThan(0);
    }
    expect(manifest.icons.map(({ sizes, purpose }: Record<string, string>) => `${sizes} ${purpose}`)).toEqual([
      '192x192 any',
      '512x512 any',
      '512x512 maskable',
    ]);
    expect((await fetch(`${world.issuer}/phone/icons/apple.png`)).status).toBe(200);
    await phone.page.evaluate('navigator.serviceWorker.ready');
    expect(await phone.page.evaluate('navigator.serviceWorker.ready.then(({ scope }) => scope)')).toBe(
      `${world.issuer}/phone`,
    );
  });

  it('says when the home is out of reach, and comes back by itself', async () => {
    await phone.pair(await pairing());
    await phone.page.evaluate('navigator.serviceWorker.ready');
    await phone.context.setOffline(true);
    await phone.page.reload();
    await phone.page.getByTestId('offline').waitFor();
    expect(await phone.page.locator('main').textContent()).toContain('nothing can be approved right now');
    await phone.context.setOffline(false);
    await phone.page.getByTestId('empty').waitFor({ timeout: 15_000 });
    // The browser reports requests that were on their way when the connection broke.
    const unexpected = phone.complaints.splice(0).filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'));
    expect(unexpected).toEqual([]);
  });

  it('says so, too, where only the proxy answers', async () => {
    await phone.pair(await pairing());
    await phone.page.evaluate('navigator.serviceWorker.ready');
    await phone.context.route('**/phone', (route) => route.fulfill({ status: 502, body: 'Bad Gateway' }));
    await phone.page.reload();
    await phone.page.getByTestId('offline').waitFor();
    await phone.context.unroute('**/phone');
    await phone.page.getByRole('link', { name: 'Try now' }).tap();
    await phone.page.getByTestId('empty').waitFor();
  });

  /** Stands in for the browser vendor's service, which can't be had offline, and for the person who is asked. */
  const withPush = (permission: string) =>
    phone.context.addInitScript(`
      const subscription = ${JSON.stringify(service.subscribe(`toggled-${permission}`))};
      let there = null;
      let permission = ${JSON.stringify(permission)};
      self.asked = 0;
      Object.defineProperty(Notification, 'permission', { get: () => permission });
      Notification.requestPermission = async () => { self.asked += 1; return (permission = 'granted'); };
      const key = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)).buffer;
      PushManager.prototype.getSubscription = async () => there;
      PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
        if (!userVisibleOnly) throw new Error('not allowed');
        return (there = { ...subscription, toJSON: () => subscription, options: { applicationServerKey: key(applicationServerKey) },
          unsubscribe: async () => { there = null; return true; } });
      };`);
  const endpoints = () =>
    (world.database().prepare('SELECT endpoint FROM push_subscriptions').all() as { endpoint: string }[]).map(
      ({ endpoint }) => endpoint,
    );

  it('asks by a tap alone whether it may ring, and stops by one', async () => {
    await withPush('default');
    await phone.pair(await pairing());
    const button = phone.page.getByTestId('push-toggle');
    await button.getByText('Turn on notifications').waitFor();
    expect(await phone.page.evaluate('self.asked')).toBe(0);
    await button.tap();
    await button.getByText('Turn off notifications').waitFor();
    expect(await phone.page.evaluate('self.asked')).toBe(1);
    expect(endpoints()).toContain(`${service.url}/push/toggled-default`);
    await button.tap();
    await button.getByText('Turn on notifications').waitFor();
    expect(endpoints()).not.toContain(`${service.url}/push/toggled-default`);
  });

  it('says where it is blocked, and where it belongs on the home screen first', async () => {
    await phone.pair(await pairing());
    const push = phone.page.getByTestId('push');
    await push.getByText('Notifications are blocked').waitFor();
    expect(await phone.page.getByTestId('push-toggle').isVisible()).toBe(false);
    await phone.close();
    phone = await openPhoneBrowser(browser);
    await phone.context.addInitScript(`
      delete window.PushManager;
      Object.defineProperty(navigator, 'userAgent', { value: 'Mozilla/5.0 (iPhone)' });`);
    await phone.pair(await pairing());
    await phone.page.getByTestId('push').getByText('Add to Home Screen').waitFor();
  });

  it('does not ring for a session that may only read', async () => {
    await withPush('granted');
    await phone.openLink((await world.phone.ticket('alice')).url);
    const button = phone.page.getByTestId('push-toggle');
    await button.getByText('Turn on notifications').tap();
    await phone.page.getByTestId('push').getByText('Sign in with your passkey').waitFor();
    expect(endpoints()).not.toContain(`${service.url}/push/toggled-granted`);
  });
});

describe('the routes', () => {
  it('take nothing from whoever is not signed in, and nothing that is none', async () => {
    const phone = await openPhoneBrowser(browser);
    await phone.pair(await pairing());
    const path = '/phone/push/subscriptions';
    expect(await post(phone, path, { subscription: 'not json' })).toBe(400);
    expect(await post(phone, path, {})).toBe(400);
    expect(
      await post(phone, path, {
        subscription: JSON.stringify({ ...service.subscribe('x'), endpoint: 'https://10.0.0.1/x' }),
      }),
    ).toBe(400);
    expect(await post(phone, `${path}/remove`, { endpoint: 'https://push.example.com/none' })).toBe(404);
    expect(await post(phone, '/phone/requests/another/seen', {})).toBe(404);
    const stranger = createHttpBrowser(world.issuer);
    for (const to of [path, `${path}/remove`, '/phone/requests/another/seen']) {
      expect(await post(phone, to, { form_token: 'x' })).toBe(403);
      expect((await stranger.submit('/signin', to)).status).toBe(401);
    }
    await phone.close();
  });
});
