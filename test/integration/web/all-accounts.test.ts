import { randomBytes } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { openWebWorld } from './web-world.ts';

/** Alice's accounts. */
const world = await openWebWorld({ secondAccounts: true });
const { stdout } = await world.run(['accounts', '--jq', '[.accounts[].account]']);
const [first, second] = JSON.parse(stdout);
afterAll(() => world.close());

/** Reads as the page's script does: every part, from the first event of its stream. */
async function opened(...args: string[]): Promise<(query?: string) => Promise<Record<string, string>>> {
  const { origin, secret } = await world.web(args);
  const key = randomBytes(32).toString('base64url');
  const let_in = await fetch(`${origin}/open`, {
    method: 'POST',
    headers: { 'x-phone-key': key, origin },
    body: new URLSearchParams({ secret }),
  });
  const [cookie = ''] = (let_in.headers.get('set-cookie') ?? '').split(';');
  return async (query = '') => {
    const gone = new AbortController();
    const answer = await fetch(`${origin}/dashboard/events${query}`, {
      headers: { 'x-phone-key': key, cookie },
      signal: gone.signal,
    });
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('\n\n')) break;
    }
    gone.abort();
    const parts: { name: string; html: string }[] = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '[]');
    return Object.fromEntries(parts.map(({ name, html }) => [name, html]));
  };
}

it('"web --account all" shows each account by name, what they come to, and one alone where that is chosen', async () => {
  const parts = await opened('--account', 'all');
  const all = await parts();
  for (const name of ['summary', 'positions', 'orders', 'value']) {
    expect(all[name], name).toContain(`<h3>${first} at Alpaca</h3>`);
    expect(all[name], name).toContain(`<h3>${second} at Second paper account</h3>`);
  }
  expect(all.summary).toContain('All accounts, USD');
  const one = await parts(`?account=${second}`);
  expect(one.summary).toContain(second);
  expect(one.summary).not.toContain(first);
  const foreign = await parts('?account=PA3NOBODY00');
  expect(foreign.summary).toContain('Can’t be read now');
});

it('"web" shows the default account, and offers the others', async () => {
  const { accounts, summary } = await (await opened())();
  expect(summary).toContain(first);
  expect(accounts).toContain(`account=${second}`);
});
