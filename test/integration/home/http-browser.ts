import { randomBytes } from 'node:crypto';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { type ApprovalStatement, toWebauthnEvidence } from '../../../src/approval/signature/statement.ts';
import { type Authenticator, createAuthenticator } from '../../unit/approval/signature/authenticator.ts';

export const FRAGMENT = 'text/vnd.trade-agent.fragment+html';

export type HttpBrowser = ReturnType<typeof createHttpBrowser>;

/** What a browser sends and keeps, without one: cookies, the origin key, form tokens. It follows nothing by itself. */
export function createHttpBrowser(
  address: string,
  key = randomBytes(32).toString('base64url'),
  send: typeof fetch = fetch,
) {
  const jar = new Map<string, string>();
  const visit = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    if (!headers.has('x-phone-key')) headers.set('x-phone-key', key);
    if (!headers.has('accept')) headers.set('accept', FRAGMENT);
    const response = await send(new URL(path, address), { ...init, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
  const formToken = async (path: string) =>
    /name="form_token" value="([^"]+)"/.exec(await (await visit(path)).text())?.[1] ?? '';
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    visit(path, { method: 'POST', body: new URLSearchParams(form), headers });
  return {
    jar,
    key,
    visit,
    formToken,
    post,
    /** Posts a form that a page has; its options for a passkey come so, too. */
    submit: async (page: string, path: string, form: Record<string, string> = {}, headers = {}) =>
      post(path, { form_token: await formToken(page), ...form }, headers),
  };
}

/** Where the script that sent the request is led; null where it is not. */
export const ledTo = (response: Response) => response.headers.get('x-phone-location');

const json = { accept: 'application/json' };

/** What a passkey is to sign, out of the options for it. */
export async function challengeOf(answer: Response): Promise<string> {
  type Options = PublicKeyCredentialCreationOptionsJSON | PublicKeyCredentialRequestOptionsJSON;
  return ((await answer.json()) as Options).challenge;
}

/** Sets up a browser by a pairing link. */
export async function pairByHttp(
  link: string,
  {
    authenticator,
    name = 'test phone',
    send,
  }: { authenticator?: Authenticator; name?: string; send?: typeof fetch } = {},
): Promise<{ browser: HttpBrowser; authenticator: Authenticator }> {
  const { origin, hash } = new URL(link);
  const secret = hash.slice(1);
  const browser = createHttpBrowser(origin, undefined, send);
  const made = authenticator ?? createAuthenticator('ES256', { origin, rpId: new URL(origin).hostname });
  const options = await browser.submit('/phone/pair', '/phone/pair/options', { secret }, json);
  if (!options.ok) throw new Error(`no options: ${options.status} ${await options.text()}`);
  const registration = JSON.stringify(made.register(await challengeOf(options)));
  const answer = await browser.submit('/phone/pair', '/phone/pair/enrol', { secret, registration, name });
  if (ledTo(answer) !== '/phone') throw new Error(`not paired: ${answer.status} ${await answer.text()}`);
  authenticators.set(browser, made);
  return { browser, authenticator: made };
}

/** The passkeys with which browsers have signed in. */
const authenticators = new WeakMap<HttpBrowser, Authenticator>();

/**
 * Submits a form as the page's own script does: the browser's passkey signs first where the page asks for that.
 * @param page the page that has the form, which the script fetched
 */
export async function submitSigned(
  browser: HttpBrowser,
  page: string,
  path: string,
  form: Record<string, string> = {},
): Promise<Response> {
  const text = await (await browser.visit(page)).text();
  const [, signing] = /data-passkey="sign ([^"]+)"/.exec(text) ?? [];
  const [, grant] = /name="grant" value="([^"]+)"/.exec(text) ?? [];
  const fields = grant === undefined ? form : { grant, ...form };
  if (signing === undefined) return await browser.submit(page, path, fields);
  return await browser.submit(page, path, { ...fields, evidence: await signGrant(browser, page, signing, fields) });
}

/** Has a browser's passkey sign a grant. @returns the form's field `evidence` */
export async function signGrant(browser: HttpBrowser, page: string, options: string, form: Record<string, string>) {
  const answer = await browser.submit(page, options, form, json);
  if (!answer.ok) throw new Error(`no options: ${answer.status} ${await answer.text()}`);
  const { challenge, statement } = (await answer.json()) as { challenge: string; statement: ApprovalStatement };
  const authenticator = authenticators.get(browser);
  if (authenticator === undefined) throw new Error('this browser has no passkey');
  return JSON.stringify(toWebauthnEvidence(authenticator.assert(challenge), statement));
}

/** Signs a device in, on its page. */
export async function allowDevice(browser: HttpBrowser, code: string): Promise<Response> {
  const page = `/device/confirm?user_code=${code}`;
  return await submitSigned(browser, page, '/device/confirm', { user_code: code, decision: 'allow' });
}

/** Signs another browser in with a passkey that is enrolled. */
export async function signInByHttp(address: string, authenticator: Authenticator): Promise<HttpBrowser> {
  const browser = createHttpBrowser(address);
  const options = await browser.submit('/signin', '/signin/options', {}, json);
  const assertion = JSON.stringify(authenticator.assert(await challengeOf(options)));
  const answer = await browser.submit('/signin', '/signin/passkey', { assertion });
  if (ledTo(answer) !== '/phone') throw new Error(`not signed in: ${answer.status} ${await answer.text()}`);
  authenticators.set(browser, authenticator);
  return browser;
}

/** Opens a one-time link of the sandbox's, to read and to deny. */
export async function openLinkByHttp(link: string): Promise<HttpBrowser> {
  const { origin, hash } = new URL(link);
  const browser = createHttpBrowser(origin);
  await browser.submit('/phone/link', '/phone/link', { ticket: hash.slice(1) });
  return browser;
}

/** Issues a recovery code, as its page shows it once. */
export async function issueRecoveryCode(browser: HttpBrowser): Promise<string> {
  const page = await submitSigned(browser, '/phone/authenticators', '/phone/authenticators/recovery');
  return />([0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){5})</.exec(await page.text())?.[1] ?? '';
}
