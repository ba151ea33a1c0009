import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { createHttpBrowser, type HttpBrowser, ledTo, pairByHttp } from '../home/http-browser.ts';

const paired = async (user: string): Promise<HttpBrowser> => {
  const { ready, pairingSecret } = sandbox;
  const phone = createPhoneClient({ phone: ready.phone, pairingSecret });
  return (await pairByHttp((await phone.pairing(user)).url)).browser;
};
const folder = mkdtempSync(join(tmpdir(), 'trade-agent-dashboard-'));
const sandbox = await startSandbox({ home: join(folder, 'sandbox'), port: 0, credentials: 'key_pair' });
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

const PATH = '/phone/dashboard';

/** The first parts that its stream tells: all of them. */
async function firstParts(browser: HttpBrowser): Promise<string> {
  const answer = await browser.visit(`${PATH}/events`, { headers: { accept: 'text/event-stream' } });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (reader !== undefined && !text.includes('\n\n')) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader?.cancel();
  return text;
}

it('a home that keeps the key pair reads the account of who is signed in, whether or not a program of theirs came by', async () => {
  const [alice, bob] = await Promise.all([paired('alice'), paired('bob')]);
  const [hers, his] = await Promise.all([firstParts(alice), firstParts(bob)]);
  expect(hers).toContain('PA3ALICE01');
  expect(hers).not.toContain('BOB');
  expect(his).toContain('BOB');
  expect(his).not.toContain('ALICE');
  for (const parts of [hers, his]) expect(parts).not.toContain('data-testid=\\"unread\\"');
});

it('a stranger is led to sign in, and told nothing', async () => {
  const stranger = createHttpBrowser(sandbox.ready.issuer);
  expect(ledTo(await stranger.visit(PATH))).toMatch(/^\/signin\?next=/);
  expect((await stranger.visit(`${PATH}/events`)).status).toBe(401);
  for (const deed of ['halt', 'withdraw'])
    expect(ledTo(await stranger.submit('/signin', `${PATH}/${deed}`, { id: 'pr_12345678' }))).toMatch(/^\/signin/);
});

it('what is posted without the page’s token changes nothing, and nobody withdraws what is another’s', async () => {
  const [alice, bob] = await Promise.all([paired('alice'), paired('bob')]);
  expect((await alice.post(`${PATH}/halt`, {})).status).toBe(403);
  expect((await alice.post(`${PATH}/halt`, { form_token: await bob.formToken(PATH) })).status).toBe(403);
  const answer = await bob.submit(PATH, `${PATH}/withdraw`, { id: 'pr_12345678' });
  expect(answer.status).toBe(409);
  expect(await answer.text()).toContain('Nothing was changed');
  expect(await firstParts(alice)).not.toContain('data-state=\\"halted\\"');
});

it('ends its stream once the browser is signed out', async () => {
  const alice = await paired('alice');
  const answer = await alice.visit(`${PATH}/events`, { headers: { accept: 'text/event-stream' } });
  await alice.submit(PATH, '/signout');
  expect(await answer.text()).toMatch(/event: signed_out\ndata: \n\n$/);
});
