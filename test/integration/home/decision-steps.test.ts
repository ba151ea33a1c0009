import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProposalDetails } from '../../../src/approval/details.ts';
import { deriveSoftwareKey } from '../../../src/approval/signature/software-key.ts';
import type { Authenticator } from '../../unit/approval/signature/authenticator.ts';
import { startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { gatewayAsking } from '../sandbox/proposal-fixture.ts';
import { liveOrder, usualOrder } from './decision-fixture.ts';
import { type HttpBrowser, openLinkByHttp, pairByHttp, signInByHttp } from './http-browser.ts';

let browser: HttpBrowser;
let authenticator: Authenticator;
const world = await startIdentityProvider({
  signatures: 'required',
  numberMatching: 'always',
  fetch: async () => new Response(null, { status: 204 }),
});
const gateway = await gatewayAsking(world);
afterAll(() => world.close());
beforeEach(async () => {
  world.database().exec('DELETE FROM live_confirmations');
  ({ browser, authenticator } = await pairByHttp((await world.phone.pairing('alice')).url));
});
afterEach(async () => {
  vi.useRealTimers();
  for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
});

const json = { accept: 'application/json' };

/** A request of Alice's, and what her browser can do about it. */
async function asked(details: ProposalDetails = usualOrder(), by = browser) {
  await gateway.ask(details);
  const id = (await world.phone.requests('alice')).at(-1)?.id ?? '';
  const path = `/phone/requests/${id}`;
  const options = async (form: Record<string, string> = {}) =>
    by.post(`${path}/options`, { form_token: await by.formToken('/phone'), ...form }, json);
  const decide = async (form: Record<string, string>) =>
    by.post(path, { form_token: await by.formToken('/phone'), ...form }, json);
  return {
    id,
    path,
    options,
    decide,
    /** Signs what the options say, and approves by it. */
    approve: async (answer: Response) => decide(await approvalBy(answer)),
    status: async () => (await world.phone.request(id)).status,
    codes: async () =>
      [...(await (await by.visit(`/phone?request=${id}`)).text()).matchAll(/name="match" value="(\w{4})"/g)].map(
        ([, code]) => code ?? '',
      ),
  };
}

/** An approval, by a signature over what the options say. */
async function approvalBy(answer: Response) {
  const { challenge, statement } = (await answer.json()) as { challenge: string; statement: unknown };
  const { id, response } = authenticator.assert(challenge);
  const evidence = {
    method: 'webauthn',
    credential_id: id,
    authenticator_data: response.authenticatorData,
    client_data_json: response.clientDataJSON,
    signature: response.signature,
    statement,
  };
  return { decision: 'approve', evidence: JSON.stringify(evidence) };
}
const said = async (answer: Response) => ((await answer.json()) as { title: string }).title;
const wrongOf = (codes: readonly string[]) => codes.filter((code) => code !== 'K7QP');

describe('number matching', () => {
  it('offers the true code among three, the same ones each time, and says nowhere which it is', async () => {
    const request = await asked();
    const codes = await request.codes();
    expect(new Set(codes).size).toBe(3);
    expect(codes).toContain('K7QP');
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(await request.codes()).toEqual(codes);
    const page = await (await browser.visit(`/phone?request=${request.id}`)).text();
    expect(page.split('K7QP')).toHaveLength(3); // its own choice: a value and a word
  });

  it('puts the true code in every place', async () => {
    const places = new Set<number>();
    for (let tries = 0; tries < 40 && places.size < 3; tries += 1) {
      const request = await asked();
      places.add((await request.codes()).indexOf('K7QP'));
      await request.decide({ decision: 'deny' });
    }
    expect([...places].sort()).toEqual([0, 1, 2]);
  });

  it('gives nothing to sign without a pick, and takes no approval without one', async () => {
    const request = await asked();
    const without = await request.options();
    expect(without.status).toBe(422);
    expect(await said(without)).toBe('Pick the code');
    const straight = await request.decide({ decision: 'approve', evidence: '{"method":"webauthn"}' });
    expect(straight.status).toBe(422);
    expect(await request.status()).toBe('pending');
  });

  it('takes an approval after the right pick', async () => {
    const request = await asked();
    const answer = await request.options({ match: 'K7QP' });
    expect(answer.status).toBe(200);
    expect((await request.approve(answer)).status).toBe(200);
    expect(await request.status()).toBe('approved');
  });

  it('counts a wrong pick and denies nothing, until the second one, which says why', async () => {
    const request = await asked();
    const [wrong = '', other = ''] = wrongOf(await request.codes());
    const first = await request.options({ match: wrong });
    expect(first.status).toBe(422);
    expect(await said(first)).toBe('Wrong code');
    expect(await request.status()).toBe('pending');
    const second = await request.options({ match: other });
    expect(second.status).toBe(409);
    expect(await said(second)).toBe('Denied');
    expect(await request.status()).toBe('denied');
    const page = await (await browser.visit('/phone')).text();
    expect(page).toContain('The wrong code was picked twice');
    expect((await request.options({ match: 'K7QP' })).status).toBe(409);
  });

  it('takes the right one after a wrong one', async () => {
    const request = await asked();
    const [wrong = ''] = wrongOf(await request.codes());
    await request.options({ match: wrong });
    expect((await request.approve(await request.options({ match: 'K7QP' }))).status).toBe(200);
  });

  it('counts wrong picks for the request, whichever browser they come from', async () => {
    const request = await asked();
    await request.options({ match: wrongOf(await request.codes())[0] ?? '' });
    const other = await signInByHttp(world.issuer, authenticator);
    const answer = await other.submit('/phone', `${request.path}/options`, { match: '0000' }, json);
    expect(answer.status).toBe(409);
    expect(await request.status()).toBe('denied');
  });

  it('that one browser has passed is still to be passed by another', async () => {
    const request = await asked();
    const approval = await approvalBy(await request.options({ match: 'K7QP' }));
    const other = await signInByHttp(world.issuer, authenticator);
    expect((await other.submit('/phone', request.path, approval, json)).status).toBe(422);
    expect(await request.status()).toBe('pending');
  });

  it('is not asked of a denial', async () => {
    const request = await asked();
    expect((await request.decide({ decision: 'deny' })).status).toBe(200);
    expect(await request.status()).toBe('denied');
  });
});

describe('a code that has to be typed', () => {
  const typedOrder = (changes: Partial<ProposalDetails> = {}) => usualOrder({ code_entry: 'typed', ...changes });

  it('is in nothing that the phone gets before it is typed: page, events, list, API', async () => {
    // Another code than the requests decided before, which the page lists with theirs.
    const request = await asked(typedOrder({ code: 'Z9Q2' }));
    const page = await (await browser.visit(`/phone?request=${request.id}`)).text();
    expect(page).toContain('data-testid="typed-code"');
    expect(page).not.toContain('name="match" value=');
    const events = await browser.visit('/phone/events');
    const reader = events.body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    expect(first).toContain('event: requests');
    const listed = JSON.stringify([await world.phone.requests('alice'), await world.phone.request(request.id)]);
    for (const shown of [page, first, listed]) expect(shown).not.toContain('Z9Q2');
  });

  it('gives nothing to sign without it, and takes no approval without it', async () => {
    const request = await asked(typedOrder());
    const without = await request.options();
    expect(without.status).toBe(422);
    expect(await said(without)).toBe('Type the code');
    expect((await request.decide({ decision: 'approve', match: 'K7QP', evidence: '{}' })).status).toBe(422);
    expect(await request.status()).toBe('pending');
  });

  it('takes an approval after the right code, and then shows it', async () => {
    const request = await asked(typedOrder());
    expect((await request.approve(await request.options({ match: 'k7qp' }))).status).toBe(200);
    expect(await request.status()).toBe('approved');
    expect(await world.phone.request(request.id)).toMatchObject({ code: 'K7QP', details: { code: 'K7QP' } });
  });

  it('denies at the third wrong code, and says why', async () => {
    const request = await asked(typedOrder());
    for (const match of ['0000', 'K7QX']) {
      expect(await said(await request.options({ match }))).toBe('Wrong code');
      expect(await request.status()).toBe('pending');
    }
    const third = await request.options({ match: 'AAAA' });
    expect([third.status, await said(third)]).toEqual([409, 'Denied']);
    expect(await request.status()).toBe('denied');
    expect(await (await browser.visit('/phone')).text()).toContain('A wrong code was typed three times');
    expect((await request.options({ match: 'K7QP' })).status).toBe(409);
  });

  it('takes neither the code of another request nor an approval that another request’s code allowed', async () => {
    const one = await asked(typedOrder());
    const other = await asked(typedOrder({ code: 'M3XD', proposal: 'pr_otherother' }));
    expect((await other.options({ match: 'K7QP' })).status).toBe(422);
    const evidence = await approvalBy(await one.options({ match: 'K7QP' }));
    expect((await other.decide(evidence)).status).toBe(422);
    expect(await other.status()).toBe('pending');
  });

  it('can’t be avoided with the member stripped from the details, because the digest covers it', async () => {
    const { code_entry: _, ...stripped } = typedOrder();
    await expect(gateway.ask(stripped as ProposalDetails)).rejects.toMatchObject({
      error: 'invalid_authorization_details',
      error_description: 'digest does not match the proposal',
    });
  });

  it('is asked of the phone’s API, too, which ends at the third wrong code', async () => {
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey(world.pairingSecret, 'alice'));
    const request = await asked(typedOrder());
    await expect(world.phone.decide(request.id, 'approve')).rejects.toMatchObject({ code: 'provider_error' });
    for (const wrong of ['0000', '1111', '2222']) {
      await expect(world.phone.decide(request.id, 'approve', wrong)).rejects.toMatchObject({ code: 'usage' });
    }
    expect(await request.status()).toBe('denied');
    const again = await asked(typedOrder());
    expect(await world.phone.decide(again.id, 'approve', 'k7qp')).toMatchObject({ status: 'approved' });
  });
});

describe('real money', () => {
  const picked = { match: 'K7QP' };

  it('takes a typed word, once', async () => {
    const first = await asked(liveOrder());
    const without = await first.options(picked);
    expect(without.status).toBe(422);
    expect(await said(without)).toBe('Not confirmed');
    expect((await first.options({ ...picked, confirm: 'yes' })).status).toBe(422);
    expect((await first.decide({ decision: 'approve', evidence: '{}' })).status).toBe(422);
    expect((await first.approve(await first.options({ ...picked, confirm: ' live ' }))).status).toBe(200);
    const second = await asked(liveOrder());
    expect((await second.approve(await second.options(picked))).status).toBe(200);
  });

  it('takes the account’s last four for it', async () => {
    const request = await asked(liveOrder());
    expect((await request.options({ ...picked, confirm: 'CE01' })).status).toBe(200);
  });

  it('takes a sign-in that is fresh', async () => {
    const request = await asked(liveOrder({ expires_at: '2099-01-01T00:00:00Z' }));
    const answer = await request.options({ ...picked, confirm: 'LIVE' });
    expect(answer.status).toBe(200);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 4 * 60_000 });
    expect((await request.options(picked)).status).toBe(200);
  });

  it('refuses one that is older than ten minutes, and says where to sign in', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
    const request = await asked(liveOrder());
    const answer = await request.options({ ...picked, confirm: 'LIVE' });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({
      title: 'Sign in again',
      link: { href: '/signin?next=/phone' },
    });
    const straight = await request.decide({ decision: 'approve', evidence: '{}' });
    expect(straight.status).toBe(403);
    expect(await request.status()).toBe('pending');
    // Paper is not held to it.
    const paper = await asked();
    expect((await paper.options(picked)).status).toBe(200);
  });
});

describe('an approval', () => {
  it('without a signature is refused', async () => {
    const request = await asked();
    await request.options({ match: 'K7QP' });
    for (const evidence of ['', 'no JSON']) {
      expect((await request.decide({ decision: 'approve', evidence })).status).toBe(422);
    }
    expect(await request.status()).toBe('pending');
  });

  it('from a browser that a link has opened is refused before anything is to be signed', async () => {
    const reader = await openLinkByHttp((await world.phone.ticket('alice')).url);
    const request = await asked(usualOrder(), reader);
    expect((await request.options({ match: 'K7QP' })).status).toBe(403);
    expect((await request.decide({ decision: 'approve', evidence: '{}' })).status).toBe(403);
    expect((await request.decide({ decision: 'deny' })).status).toBe(200);
  });

  it('of somebody else’s request is of no request at all', async () => {
    await gateway.ask(usualOrder(), { login_hint: 'bob' });
    const [bobs] = await world.phone.requests('bob');
    const path = `/phone/requests/${bobs?.id}`;
    for (const to of [path, `${path}/options`]) {
      const answer = await browser.submit('/phone', to, { decision: 'approve', match: 'K7QP' }, json);
      expect(answer.status).toBe(404);
    }
    await world.phone.decide(bobs?.id ?? '', 'deny');
  });

  it('that comes twice is the first one, and the other way is refused', async () => {
    const request = await asked();
    const form = await approvalBy(await request.options({ match: 'K7QP' }));
    expect((await request.decide(form)).status).toBe(200);
    expect((await request.decide(form)).status).toBe(200);
    expect((await request.decide({ decision: 'deny' })).status).toBe(409);
  });
});
