import * as client from 'openid-client';
import { afterAll, describe, expect, it } from 'vitest';
import {
  ALL_SCOPES,
  details,
  registerApprovalClient,
  startIdentityProvider,
} from '../sandbox/identity-provider-fixture.ts';
import { createHttpBrowser, issueRecoveryCode, ledTo, pairByHttp } from './http-browser.ts';

const world = await startIdentityProvider();
const approval = await registerApprovalClient(world);
let owner = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
afterAll(() => world.close());

const PATH = '/phone/authenticators';

const issue = () => issueRecoveryCode(owner);

async function recover(code: string, username = 'alice') {
  const browser = createHttpBrowser(world.issuer);
  return { browser, answer: await browser.submit('/signin', '/signin/recovery', { username, code }) };
}

describe('a recovery code', () => {
  it('has 120 bits, is kept as a digest, and is shown once', async () => {
    const code = await issue();
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(await (await owner.visit(PATH)).text()).not.toContain(code);
    const dump = JSON.stringify(world.database().prepare('SELECT * FROM recovery_codes').all());
    expect(dump).toContain('alice');
    expect(dump).not.toContain(code);
    expect(dump).not.toContain(code.replaceAll('-', ''));
  });

  it('signs in, however it is typed, and says what it can’t do', async () => {
    const code = await issue();
    const typed = [
      code,
      code.toLowerCase(),
      ` ${code.replaceAll('-', ' ')} `,
      code.replaceAll('0', 'o').replaceAll('1', 'l'),
    ];
    for (const text of typed) {
      const { browser, answer } = await recover(text);
      expect(ledTo(answer), text).toBe('/phone');
      for (const page of ['/phone', PATH, '/phone/sessions', '/device']) {
        const shown = await (await browser.visit(page)).text();
        expect(shown, page).toContain('Signed in with your recovery code');
      }
    }
    expect(await (await createHttpBrowser(world.issuer).visit('/signin')).text()).toContain(
      'It can’t approve anything',
    );
  });

  it('reads and denies, and approves nothing', async () => {
    const { browser } = await recover(await issue());
    await approval.ask(details({ symbol: 'NFLX' }));
    const [request] = await world.phone.requests('alice');
    const path = `/phone/requests/${request?.id}`;
    expect(await (await browser.visit('/phone')).text()).toContain('NFLX');
    expect((await browser.submit('/phone', path, { decision: 'approve' })).status).toBe(403);
    const evidence = JSON.stringify({ method: 'webauthn' });
    expect((await browser.submit('/phone', path, { decision: 'approve', evidence })).status).toBe(403);
    expect(await world.phone.request(request?.id ?? '')).toMatchObject({ status: 'pending' });
    expect(ledTo(await browser.submit('/phone', path, { decision: 'deny' }))).toBe('/phone');
    expect(await world.phone.request(request?.id ?? '')).toMatchObject({ status: 'denied' });
  });

  it('adds, renames and removes no passkey, and makes no other code', async () => {
    const { browser } = await recover(await issue());
    const [key] = await world.keys.list('alice');
    const form = { form_token: await browser.formToken('/phone'), id: key?.credentialId ?? '', name: 'mine' };
    for (const path of ['create-options', 'add-options', 'add', 'rename', 'remove-options', 'remove', 'recovery']) {
      expect((await browser.post(`${PATH}/${path}`, form)).status, path).toBe(403);
    }
    expect(await world.keys.list('alice')).toMatchObject([{ name: 'test phone' }]);
  });

  it('lets no device in, and turns one away', async () => {
    const { browser } = await recover(await issue());
    const { user_code } = await client.initiateDeviceAuthorization(await world.loginClient(), {
      scope: ALL_SCOPES,
    });
    const page = `/device/confirm?user_code=${user_code}`;
    const allowed = await browser.submit(page, '/device/confirm', { user_code, decision: 'allow' });
    expect(allowed.status).toBe(403);
    expect((await browser.submit(page, '/device/confirm', { user_code, decision: 'refuse' })).status).toBe(200);
    await expect(world.phone.completeDevice('alice', user_code)).rejects.toMatchObject({ code: 'usage' });
  });

  it('signs other browsers out', async () => {
    const { browser: lost } = await pairByHttp((await world.phone.pairing('alice')).url);
    const { browser } = await recover(await issue());
    const page = await (await browser.visit('/phone/sessions')).text();
    const others = page.split('<li').filter((item) => !item.includes('this-browser'));
    for (const item of others) {
      const id = /name="id" value="([^"]+)"/.exec(item)?.[1];
      if (id !== undefined) await browser.submit('/phone/sessions', '/phone/sessions/end', { id });
    }
    expect(ledTo(await lost.visit('/phone'))).toMatch(/^\/signin/);
    owner = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
  });

  it('ends with a newer one', async () => {
    const [older, newer] = [await issue(), await issue()];
    expect((await recover(older)).answer.status).toBe(401);
    expect(ledTo((await recover(newer)).answer)).toBe('/phone');
  });

  it('is one person’s', async () => {
    const code = await issue();
    for (const username of ['bob', 'nobody', '', 'alice ', 'ALICE']) {
      const { answer } = await recover(code, username);
      expect(ledTo(answer) === '/phone', username).toBe(username.trim().toLowerCase() === 'alice');
    }
  });
});
