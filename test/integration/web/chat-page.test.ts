import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { slowness } from '../../slowness.ts';
import { findings } from '../axe.ts';
import { launchChromium } from '../chromium.ts';
import { screensOf } from '../screens.ts';
import { openWebPage, openWebWorld, type Screen, shot } from './web-world.ts';

/** Milliseconds from following a link until the conversation is painted. */
const LATEST_PAINT = 1000;
/** Bytes of the page and all that it loads, compressed. */
const HEAVIEST = 100_000;

const [browser, world] = await Promise.all([launchChromium(), openWebWorld()]);
afterAll(async () => {
  await browser.close();
  await world.close();
});

const screens: Record<string, Screen> = {
  desktop: {},
  'desktop-dark': { dark: true },
  phone: { width: 390, height: 844 },
  'phone-dark': { width: 390, height: 844, dark: true },
};

async function opened(screen: Screen = {}) {
  const { link, origin } = await world.web();
  const opened = await openWebPage(browser, screen, origin);
  const { page } = opened;
  await page.goto(link);
  await page.getByRole('link', { name: 'Chat', exact: true }).click();
  await page.getByTestId('live').getByText('Live', { exact: true }).waitFor();
  return { ...opened, link, origin };
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('say').fill(text);
  await page.getByTestId('say').press('Enter');
}

const states = (page: Page, state: string) => page.locator(`[data-testid=request][data-state=${state}]`);

describe.each(screensOf(screens, ['desktop', 'phone-dark']))('the chat on %s', (name, screen) => {
  it('answers, shows a request with its worst case, provenance, code and time left, and what came of it', async () => {
    const { context, page, complaints, elsewhere } = await opened(screen);
    await page.getByTestId('welcome').waitFor();
    await shot(page, `chat-${name}-empty`);
    expect(await findings(page)).toEqual([]);
    await say(page, 'what do I own');
    await page.getByTestId('answer').waitFor();
    await page.locator('[data-activity=idle]').waitFor({ state: 'attached' });
    expect(await page.getByTestId('tool').first().textContent()).toContain('portfolio');
    await say(page, 'buy 2 AAPL limit 100 gtc');
    await states(page, 'requested').waitFor();
    const request = page.getByTestId('request');
    expect(await request.getByTestId('headline').textContent()).toBe('Buy 2 AAPL');
    expect(await request.getByTestId('amount').textContent()).toBe('$200.00');
    expect(await request.getByTestId('provenance').textContent()).toContain(
      'in your words: “buy 2 AAPL limit 100 gtc”',
    );
    expect(await request.getByTestId('code').textContent()).toMatch(/^\w{4}$/);
    expect(await request.getByTestId('countdown').textContent()).toMatch(/^\d+:\d\d left$/);
    expect(await page.getByRole('button', { name: /approve/i }).count()).toBe(0);
    expect(await page.locator('[data-activity=waiting]').textContent()).toContain('Waiting for your phone');
    await shot(page, `chat-${name}`);
    expect(await findings(page)).toEqual([]);
    await world.decide('approve');
    await states(page, 'executed').waitFor();
    await page.locator('[data-activity=idle]').waitFor({ state: 'attached' });
    await shot(page, `chat-${name}-done`);
    expect(await findings(page)).toEqual([]);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    expect(elsewhere).toEqual([]);
    await context.close();
  });
});

const threadOf = (page: Page) => new URL(page.url()).searchParams.get('thread') ?? '';
const texts = (page: Page) => page.locator('[data-testid=items] > *').allTextContents();

it('is the same after a reload', async () => {
  const { context, page } = await opened();
  await say(page, 'quote AAPL');
  await page.getByTestId('answer').waitFor();
  await page.locator('[data-activity=idle]').waitFor({ state: 'attached' });
  const before = await texts(page);
  await page.reload();
  await expect.poll(() => texts(page)).toEqual(before);
  await context.close();
});

it('a stream that is opened again gives what came since the last event, or all of it to who has another one’s', async () => {
  const { origin, secret } = await world.web();
  const key = randomBytes(32).toString('base64url');
  const letIn = await fetch(`${origin}/open`, {
    method: 'POST',
    headers: { 'x-phone-key': key, origin },
    body: new URLSearchParams({ secret }),
  });
  const [cookie = ''] = (letIn.headers.get('set-cookie') ?? '').split(';');
  await world.run(['run', 'quote AAPL']);
  const [{ thread }] = (await world.json('threads')).body.threads;
  /** Applies patches until there are as many items as that. */
  const follow = async (count: number, last: string, items: unknown[]) => {
    const gone = new AbortController();
    const answer = await fetch(`${origin}/chat/events?thread=${thread}`, {
      headers: { 'x-phone-key': key, cookie, 'last-event-id': last },
      signal: gone.signal,
    });
    const applied = { items, id: last, starts: [] as number[] };
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks.filter((one) => one.startsWith('event: patch'))) {
        const { from, items } = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '');
        applied.items = [...applied.items.slice(0, from), ...items];
        applied.id = /^id: (.*)$/m.exec(block)?.[1] ?? '';
        applied.starts.push(from);
      }
      if (applied.items.length >= count) break;
    }
    gone.abort();
    return applied;
  };
  const first = await follow(3, '', []);
  expect(first.items).toMatchObject([{ kind: 'prompt' }, { kind: 'tool' }, { kind: 'answer' }]);
  await world.run(['run', '--thread', thread, 'quote MSFT']);
  const more = await follow(6, first.id, first.items);
  expect(more.starts.every((from) => from >= 3)).toBe(true);
  expect(more.items.slice(3)).toMatchObject([
    { kind: 'prompt', text: 'quote MSFT' },
    { kind: 'tool' },
    { kind: 'answer' },
  ]);
  const whole = await follow(6, 'another.3', []);
  expect(whole.items).toEqual(more.items);
  expect(whole.starts[0]).toBe(0);
});

it('Shift+Enter begins a line; Stop ends the wait, and the request stays on the phone and can be waited for again', async () => {
  const { context, page } = await opened();
  await page.getByTestId('say').press('Shift+Enter');
  await page.getByTestId('say').pressSequentially('buy 1 KO limit 20 gtc');
  await page.getByTestId('say').press('Enter');
  await states(page, 'requested').waitFor();
  const code = await page.getByTestId('code').textContent();
  await page.getByTestId('stop').click();
  await page.getByTestId('items').getByText('Stopped. The request stays on your phone').waitFor();
  await states(page, 'requested').waitFor();
  await page.getByTestId('resume').click();
  await page.locator('[data-activity=waiting]').waitFor();
  await page.getByTestId('withdraw').click();
  await states(page, 'cancelled').waitFor();
  expect(await page.getByTestId('state').textContent()).toContain('Canceled');
  await page.locator('[data-activity=idle]').waitFor({ state: 'attached' });
  await page.locator('summary').click();
  expect(await page.getByTestId('request').textContent()).toContain(code ?? 'no code');
  await context.close();
});

it('a message to a conversation that waits starts another, and the list has both', async () => {
  const { context, page } = await opened();
  await say(page, 'buy 1 KO limit 21 gtc');
  await states(page, 'requested').waitFor();
  const first = threadOf(page);
  await say(page, 'quote AAPL');
  await expect.poll(() => threadOf(page)).not.toBe(first);
  await page.getByTestId('answer').waitFor();
  await page.getByTestId('talk').filter({ hasText: 'buy 1 KO limit 21 gtc' }).click();
  expect(threadOf(page)).toBe(first);
  await states(page, 'requested').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('items').getByText('Stopped.').waitFor();
  await page.getByTestId('withdraw').click();
  await states(page, 'cancelled').waitFor();
  await context.close();
});

it('the list says "waiting" only until the request is decided, whether a page is open or not', async () => {
  const propose = (prompt: string) => world.run(['run', prompt, '--approval', 'detach']);
  await propose('buy 1 KO limit 24 gtc');
  await world.decide('approve');
  const { context, page } = await opened();
  const status = (prompt: string) => page.getByTestId('talk').filter({ hasText: prompt }).locator('.soft');
  await expect.poll(() => status('buy 1 KO limit 24 gtc').textContent()).toBe('');
  await propose('buy 1 KO limit 25 gtc');
  await expect.poll(() => status('buy 1 KO limit 25 gtc').textContent()).toBe('waiting');
  await world.decide('deny');
  await expect.poll(() => status('buy 1 KO limit 25 gtc').textContent()).toBe('denied');
  await context.close();
});

it('another process’s run shows within a second, and a message meanwhile is refused in words', async () => {
  const { context, page } = await opened();
  await say(page, 'quote AAPL');
  await page.getByTestId('answer').waitFor();
  await page.locator('[data-activity=idle]').waitFor({ state: 'attached' });
  const running = world.start(['run', '--thread', threadOf(page), 'buy 3 KO limit 22 gtc']);
  await running.says(/Approval needed/);
  const since = performance.now();
  await states(page, 'requested').waitFor();
  expect(performance.now() - since).toBeLessThan(1000 * slowness());
  await page.locator('[data-activity=elsewhere]').waitFor();
  await say(page, 'quote MSFT');
  await page.getByTestId('error').getByText('in use in another window or terminal').waitFor();
  await world.decide('approve');
  await states(page, 'executed').waitFor();
  await running.done;
  await context.close();
});

it('an unknown conversation is said to be unknown', async () => {
  const { context, page, origin } = await opened();
  await page.goto(`${origin}/chat?thread=th_0000000000`);
  await page.getByTestId('unknown').waitFor();
  await context.close();
});

it('words of models and tools are text: no markup, no script, no image, no other link than http', async () => {
  const { context, page, complaints, elsewhere, origin } = await opened({ width: 390, height: 844 });
  const markup = '<script>window.pwned = 1</script><img src=x onerror="window.pwned = 1"><b>bold</b>';
  const text = [
    markup,
    '[click](javascript:window.pwned=1) [data](data:text/html,x) ![image](https://evil.example/x.png)',
    `[Your bank](https://evil.example/login) https://evil.example/a"onmouseover="x`,
    `${'W'.repeat(5_000)} \`${'c'.repeat(500)}\``,
    `| ${markup} | ${'x'.repeat(300)} |`,
    '|---|---|',
    '| 1 | 2 |',
    '```html',
    `${markup}${'y'.repeat(900)}`,
    '**'.repeat(20_000),
    '['.repeat(20_000),
  ].join('\n');
  const items = [
    { kind: 'prompt', text: markup },
    { kind: 'answer', text },
    { kind: 'tool', id: '1', text: markup, state: 'failed', summary: 'Z'.repeat(2_000) },
    { kind: 'note', text: markup },
    { kind: 'error', text: markup, hint: markup },
  ];
  const patch = JSON.stringify({ from: 0, items, activity: 'idle' });
  const lines = JSON.stringify([{ thread: 'th_0000000000', prompt: markup, status: markup, updated_at: '' }]);
  await page.route('**/chat/events*', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `event: lines\ndata: ${lines}\n\nevent: patch\nid: a.1\ndata: ${patch}\n\n`,
    }),
  );
  await page.goto(`${origin}/chat?thread=th_0000000000`);
  const answer = page.getByTestId('answer');
  await answer.waitFor();
  expect(await answer.textContent()).toContain(markup);
  expect(await page.evaluate('window.pwned')).toBeUndefined();
  expect(await page.locator('#chat script, #chat img, #chat iframe, #chat b').count()).toBe(0);
  const links = await Promise.all((await answer.locator('a').all()).map((one) => one.getAttribute('href')));
  expect(links).toEqual(['https://evil.example/x.png', 'https://evil.example/login', 'https://evil.example/a']);
  expect(await answer.locator('a').allTextContents()).toEqual(links);
  expect(await answer.locator('a[rel="noopener noreferrer nofollow"]').count()).toBe(links.length);
  expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  expect(await page.evaluate<number>('document.documentElement.scrollHeight - innerHeight')).toBeLessThanOrEqual(0);
  expect(await findings(page)).toEqual([]);
  await shot(page, 'chat-hostile');
  expect(complaints).toEqual([]);
  expect(elsewhere).toEqual([]);
  await context.close();
});

it('all that the page loads is small, and it is painted within a second', async () => {
  const { context, page } = await opened();
  let bytes = 0;
  page.on('response', (answer) => {
    if (!answer.url().includes('/events')) void answer.body().then((body) => (bytes += gzipSync(body).length));
  });
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    bytes = 0;
    const since = performance.now();
    await page.reload();
    await page.getByTestId('say').waitFor();
    times.push(performance.now() - since);
  }
  process.stdout.write(`chat: painted at ${Math.round(Math.min(...times))} ms, ${bytes} bytes compressed\n`);
  expect(Math.min(...times)).toBeLessThan(LATEST_PAINT * slowness());
  await expect.poll(() => bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(HEAVIEST);
  await context.close();
});

it('a read-only chat uses the given model, and proposes nothing', async () => {
  const { link, origin } = await world.web(['--read-only', '--model', 'builtin']);
  const { context, page } = await openWebPage(browser, {}, origin);
  await page.goto(link);
  await page.getByRole('link', { name: 'Chat', exact: true }).click();
  await page.getByTestId('live').getByText('Live', { exact: true }).waitFor();
  const before = await world.run(['approvals', '--output', 'json']);
  await say(page, 'buy 3 KO limit 10 gtc');
  await page.getByText('this run is read-only').first().waitFor();
  expect((await world.run(['approvals', '--output', 'json'])).stdout).toBe(before.stdout);
  await context.close();
});
