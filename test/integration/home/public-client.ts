import * as client from 'openid-client';
import { RESOURCE, type World } from '../sandbox/identity-provider-fixture.ts';
import { type HttpBrowser, ledTo, submitSigned } from './http-browser.ts';

export const MCP = `${RESOURCE}/mcp`;
export const MCP_SCOPES = 'market:read portfolio:read orders:read orders:cancel orders:propose';
export const CALLBACK = 'http://127.0.0.1:9123/callback';

/** What an MCP client says of itself when it registers. */
export const publicMetadata = {
  client_name: 'Some Agent',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

export async function register(issuer: string, changes: Record<string, unknown> = {}) {
  const response = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...publicMetadata, ...changes }),
  });
  const body = (await response.json()) as Record<string, unknown> & { client_id: string };
  return { status: response.status, body };
}

/** A program without a secret, as openid-client drives it. @param id registers itself where it is left out */
export async function publicClient(world: Pick<World, 'issuer' | 'discover'>, id?: string) {
  const clientId = id ?? (await register(world.issuer)).body.client_id;
  const config = await world.discover(clientId, { token_endpoint_auth_method: 'none' }, client.None());
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const challenge = await client.calculatePKCECodeChallenge(verifier);
  /** Where it sends the person's browser. An empty value takes a parameter out. */
  const url = (changes: Record<string, string> = {}) => {
    const built = client.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: MCP_SCOPES,
      resource: MCP,
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...changes,
    });
    for (const [name, value] of Object.entries(changes)) if (value === '') built.searchParams.delete(name);
    return built;
  };
  const redeem = (callback: string, parameters: Record<string, string> = {}, options = {}) =>
    client.authorizationCodeGrant(
      config,
      new URL(callback),
      { pkceCodeVerifier: verifier, expectedState: state },
      { resource: MCP, ...parameters },
      options,
    );
  const refresh = (token: string, parameters: Record<string, string> = {}) =>
    client.refreshTokenGrant(config, token, parameters);
  return { clientId, config, verifier, state, url, redeem, refresh };
}

/** Where a page or the provider leads the browser. */
const led = (response: Response) => ledTo(response) ?? response.headers.get('location') ?? '';

/** As far as the page that asks. @returns its path; or where the program was answered at once */
export async function ask(browser: HttpBrowser, url: URL): Promise<string> {
  const sent = await browser.visit(url.pathname + url.search);
  if (sent.status !== 303) throw new Error(`${sent.status} ${await sent.text()}`);
  return led(sent);
}

/** As a person decides on that page. @returns where the program is answered */
export async function decide(browser: HttpBrowser, page: string, decision: 'allow' | 'deny'): Promise<string> {
  const answer =
    decision === 'allow'
      ? await submitSigned(browser, page, page, { decision })
      : await browser.submit(page, page, { decision });
  const back = led(answer);
  if (back === '') throw new Error(`${answer.status} ${await answer.text()}`);
  return led(await browser.visit(back));
}

/** The whole way. @returns where the program is answered */
export async function letIn(browser: HttpBrowser, url: URL, decision: 'allow' | 'deny' = 'allow') {
  return decide(browser, await ask(browser, url), decision);
}
