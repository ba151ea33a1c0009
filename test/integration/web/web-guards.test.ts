import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { plainRequest } from '../plain-request.ts';
import { openWebPage, openWebWorld, settled, type WebWorld } from './web-world.ts';

const [browser, world] = await Promise.all([launchChromium(), openWebWorld()]);
afterAll(async () => {
  await browser.close();
  await world.close();
});

let web: Awaited<ReturnType<WebWorld['web']>>;
beforeEach(async () => {
  web = await world.web();
});

/** What is the person's own, in whatever is answered. */
const OWN = /PA3ALICE|\$\d|AAPL|data-part/;
const newKey = () => randomBytes(32).toString('base64url');

const ask = (path: string, asked: Parameters<typeof plainRequest>[1] = {}) =>
  plainRequest(new URL(path, web.origin), asked);

/** Opens the page as its script does. */
async function open(key = newKey()): Promise<{ headers: Record<string, string>; key: string; cookie: string }> {
  const { status, headers } = await ask('/open', {
    headers: { 'x-phone-key': key },
    form: { secret: web.secret },
  });
  expect(status).toBe(204);
  const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
  return { key, cookie, headers: { 'x-phone-key': key, cookie } };
}

async function halted(): Promise<boolean> {
  const { stdout } = await world.run(['policy', 'show', '--output', 'json']);
  expect(stdout).toContain('"state":"');
  return stdout.includes('"state":"halted"');
}

it('whoever has the link reads it, by the key and the cookie together', async () => {
  const { headers, key, cookie } = await open();
  expect((await ask('/dashboard', { headers })).text).toMatch(OWN);
  for (const lacking of [{ 'x-phone-key': key }, { cookie }, { cookie, 'x-phone-key': newKey() }]) {
    const { text } = await ask('/dashboard', { headers: lacking as Record<string, string> });
    expect(text).not.toMatch(OWN);
    expect(text).not.toContain(web.secret);
  }
});

it('the cookie is out of reach of scripts and of other sites', async () => {
  const { headers } = await ask('/open', {
    headers: { 'x-phone-key': newKey() },
    form: { secret: web.secret },
  });
  expect(String(headers['set-cookie'])).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
});

describe('without the secret', () => {
  it.each([
    ['nothing', {}],
    ['a key', { 'x-phone-key': newKey() }],
    ['a key and a cookie', { 'x-phone-key': newKey(), cookie: 'trade_agent_web_1=abc' }],
    ['a bearer token', { 'x-phone-key': newKey(), authorization: 'Bearer abc' }],
  ])('%s gets nobody in', async (_, headers) => {
    for (const path of ['/', '/dashboard', '/dashboard?period=1A', '/chat', '/phone/dashboard'])
      expect((await ask(path, { headers: headers as Record<string, string> })).text).not.toMatch(OWN);
    const events = await ask('/dashboard/events', { headers: headers as Record<string, string> });
    expect(events.text).not.toMatch(OWN);
    expect(events.headers['content-type']).not.toContain('event-stream');
    const chat = await ask('/chat/events', { headers: headers as Record<string, string> });
    expect(chat.headers['content-type']).not.toContain('event-stream');
    for (const path of ['/dashboard/halt', '/chat/send', '/chat/withdraw']) {
      const post = await ask(path, { headers: headers as Record<string, string>, form: { text: 'buy 1 KO' } });
      expect(post.status).toBe(403);
    }
    expect(await halted()).toBe(false);
    expect((await world.json('threads')).body.threads).toEqual([]);
  });

  it.each([
    ['a wrong one', 'x'.repeat(43)],
    ['none', ''],
    ['half of it', undefined],
  ])('%s opens nothing', async (_, secret) => {
    const headers = { 'x-phone-key': newKey() };
    const answer = await ask('/open', { headers, form: { secret: secret ?? web.secret.slice(0, 20) } });
    expect(answer.status).toBe(403);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect((await ask('/dashboard', { headers })).text).not.toMatch(OWN);
  });
});

it('a link is used once: who comes second is refused, and told so', async () => {
  const first = await open();
  const second = await ask('/open', { headers: { 'x-phone-key': newKey() }, form: { secret: web.secret } });
  expect(second.status).toBe(403);
  expect(second.text).toContain('already used');
  expect((await ask('/dashboard', { headers: first.headers })).text).toMatch(OWN);
});

describe('from elsewhere', () => {
  it.each(['evil.example', 'localhost', 'evil.example:1', '127.0.0.1:1', '127.0.0.1.nip.io'])(
    'a page that calls this machine %s is refused (DNS rebinding), whatever it knows',
    async (host) => {
      const { headers } = await open();
      const answer = await ask('/dashboard', { headers: { ...headers, host } });
      expect(answer.status).toBe(421);
      expect(answer.text).not.toMatch(OWN);
    },
  );

  it.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['no origin that is told', { origin: 'null' }],
    ['another site, by a script', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }],
    ['another port, by a script', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }],
  ])('%s gets nothing, and changes nothing', async (_, from) => {
    const { headers } = await open();
    const given = { ...headers, ...from } as Record<string, string>;
    const read = await ask('/dashboard', { headers: given });
    expect(read.status).toBe(403);
    expect(read.text).not.toMatch(OWN);
    expect((await ask('/dashboard/halt', { headers: given, form: {} })).status).toBe(403);
    expect(await halted()).toBe(false);
  });

  it('nobody is let to by CORS', async () => {
    const answer = await ask('/dashboard', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'x-phone-key',
      },
    });
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('a form without this page’s token changes nothing', async () => {
    const { headers } = await open();
    for (const form of [{}, { form_token: '' }, { form_token: 'a'.repeat(43) }] as Record<string, string>[])
      for (const path of ['/dashboard/halt', '/chat/send'])
        expect((await ask(path, { headers, form: { ...form, text: 'buy 1 KO' } })).status).toBe(403);
    expect(await halted()).toBe(false);
    expect((await world.json('threads')).body.threads).toEqual([]);
  });

  it('in a browser that has the page open, a page of another port reads, frames and posts nothing', async () => {
    const { context, page } = await openWebPage(browser, {}, web.origin);
    await page.goto(web.link);
    await settled(page);
    const evil = createServer((_request, response) =>
      response.setHeader('content-type', 'text/html').end(
        `<title>evil</title><iframe name="inside" src="${web.origin}/dashboard"></iframe>
<form id="form" method="post" target="inside" action="${web.origin}/dashboard/halt"><input name="form_token" value="x"></form>`,
      ),
    );
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    const other = await context.newPage();
    await other.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`);
    const tried = await other.evaluate<string[]>(`(async () => {
      const read = (init) => fetch('${web.origin}/dashboard', init).then((answer) => answer.type + ' ' + answer.status, (error) => error.name);
      document.getElementById('form').submit();
      return [await read({ credentials: 'include' }), await read({ credentials: 'include', mode: 'no-cors' }), await read({ credentials: 'include', headers: { 'x-phone-key': 'a'.repeat(43) } })];
    })()`);
    expect(tried).toEqual(['TypeError', 'TypeError', 'TypeError']);
    const frames = other.frames().filter((frame) => frame !== other.mainFrame());
    for (const frame of frames) expect(await frame.content().catch(() => '')).not.toMatch(OWN);
    expect(await halted()).toBe(false);
    await context.close();
    evil.close();
  });
});

it('every answer forbids frames, foreign and inline scripts, and being kept', async () => {
  const { headers } = await open();
  for (const path of ['/', '/dashboard', '/nothing']) {
    const answer = await ask(path, { headers });
    expect(answer.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(answer.text).not.toMatch(/<script(?![^>]*\bsrc="\/)|<style|\sstyle=|\son\w+=|javascript:/i);
  }
});

it('no token of the session is in any answer', async () => {
  const { headers } = await open();
  const texts = [await ask('/dashboard', { headers }), await ask('/dashboard/events', { headers })];
  for (const { text } of texts) {
    expect(text.length).toBeGreaterThan(1000);
    // A JWT, a refresh token, how the provider was asked.
    expect(text).not.toMatch(/eyJ[\w-]{8}|refresh|auth_req_id|Bearer/i);
  }
});

it('what somebody else has written is text on the page, whoever wrote it', async () => {
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  // Named: one of its own that was not understood leaves no conversation.
  await world.run(['run', hostile, '--thread', 'hostile']);
  const { context, page, complaints } = await openWebPage(browser, {}, web.origin);
  await page.goto(web.link);
  await settled(page);
  expect(await page.getByTestId('threads').textContent()).toContain('<img src=x onerror=');
  expect(await page.locator('#dashboard img, #dashboard script').count()).toBe(0);
  expect(await page.title()).toBe('Dashboard · trade-agent');
  expect(complaints).toEqual([]);
  await context.close();
});

it('withdraws and halts for who has it open, and nothing else can be done', async () => {
  await world.run(['run', 'buy 1 KO limit 50', '--approval', 'detach']);
  const { context, page } = await openWebPage(browser, {}, web.origin);
  await page.goto(web.link);
  await settled(page);
  const waiting = page.locator('[data-testid=proposal][data-state=requested]');
  await waiting.locator('summary').click();
  await waiting.getByTestId('withdraw').click();
  await page.locator('[data-testid=proposal][data-state=cancelled]').waitFor();
  await settled(page);
  await page.getByText('Halt…').click();
  await page.getByTestId('halt').click();
  await page.locator('[data-testid=trading][data-state=halted]').waitFor();
  expect(await halted()).toBe(true);
  for (const path of ['/dashboard/approve', '/dashboard/orders', '/dashboard/lift', '/v1/proposals'])
    expect((await ask(path, { headers: { 'x-phone-key': newKey() }, form: {} })).status).toBe(403);
  await context.close();
});
