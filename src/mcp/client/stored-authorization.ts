import { DpopSession, generateDpopKeyPair } from '@modelcontextprotocol/client';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { z } from 'zod';
import type { McpCredentialStore } from '../../secrets/places/mcp-credentials.ts';

/** A client's registration. Members that are not listed here are preserved. */
const clientSchema = z.looseObject({
  client_id: z.string(),
  client_secret: z.string().optional(),
  redirect_uris: z.array(z.string()).optional(),
  issuer: z.string().optional(),
});
export type StoredClient = z.output<typeof clientSchema>;

const tokensSchema = z.looseObject({
  access_token: z.string(),
  token_type: z.string(),
  refresh_token: z.string().optional(),
  scope: z.string().optional(),
  issuer: z.string().optional(),
});
export type StoredTokens = z.output<typeof tokensSchema>;

/** Stores tokens by issuer and server, client registrations by issuer, and redirect ports and DPoP keys by server. */
export class StoredAuthorization {
  readonly #credentials: McpCredentialStore;
  readonly #url: string;

  constructor(credentials: McpCredentialStore, serverUrl: string) {
    this.#credentials = credentials;
    this.#url = serverUrl;
  }

  async client(issuer: string): Promise<StoredClient | undefined> {
    return parseEntry(clientSchema, (await this.#credentials.read())[entryKey('client', issuer)]);
  }

  async saveClient(issuer: string, client: StoredClient): Promise<void> {
    await this.#credentials.change((values) => {
      values[entryKey('client', issuer)] = JSON.stringify(client);
    });
  }

  async forgetClient(issuer: string): Promise<void> {
    await this.#credentials.change((values) => {
      delete values[entryKey('client', issuer)];
    });
  }

  /** Returns the stored tokens. @param issuer defaults to the latest issuer */
  async tokens(issuer?: string): Promise<StoredTokens | undefined> {
    const values = await this.#credentials.read();
    const name =
      issuer === undefined
        ? Object.keys(values).find((key) => isTokensEntry(key, this.#url))
        : entryKey('tokens', issuer, this.#url);
    return name === undefined ? undefined : parseEntry(tokensSchema, values[name]);
  }

  /** Saves tokens and deletes the tokens of other issuers. */
  async saveTokens(issuer: string, tokens: StoredTokens): Promise<void> {
    await this.#credentials.change((values) => {
      for (const key of Object.keys(values)) if (isTokensEntry(key, this.#url)) delete values[key];
      values[entryKey('tokens', issuer, this.#url)] = JSON.stringify(tokens);
    });
  }

  async forgetTokens(): Promise<void> {
    await this.#credentials.change((values) => {
      for (const key of Object.keys(values)) if (isTokensEntry(key, this.#url)) delete values[key];
    });
  }

  /** Returns the redirect port of the client's registration, or 0 if any port may be used. */
  async port(): Promise<number> {
    return Number((await this.#credentials.read())[entryKey('port', this.#url)] ?? 0);
  }

  async savePort(port: number): Promise<void> {
    await this.#credentials.change((values) => {
      values[entryKey('port', this.#url)] = String(port);
    });
  }

  /** Returns the key that tokens are bound to (RFC 9449). @param make whether to create the key if it is missing */
  async dpop(make: boolean): Promise<DpopSession | undefined> {
    const kept = (await this.#credentials.read())[entryKey('dpop', this.#url)];
    if (kept !== undefined) return await createDpopSession(JSON.parse(kept) as JWK);
    if (!make) return undefined;
    const { privateKey } = await generateDpopKeyPair({ extractable: true });
    const jwk = (await crypto.subtle.exportKey('jwk', privateKey)) as JWK;
    await this.#credentials.change((values) => {
      values[entryKey('dpop', this.#url)] = JSON.stringify(jwk);
    });
    return await createDpopSession(jwk);
  }

  /** Deletes everything except the client's registration, which the issuer's other servers may use. */
  async forget(): Promise<void> {
    await this.#credentials.change((values) => {
      for (const key of Object.keys(values)) {
        const [what, ...of] = key.split('\n');
        if (what !== 'client' && of.at(-1) === this.#url) delete values[key];
      }
    });
  }
}

async function createDpopSession(jwk: JWK): Promise<DpopSession> {
  const { kty = '', crv = '', x = '', y = '' } = jwk;
  const publicJwk = { kty, crv, x, y };
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const [privateKey, publicKey, thumbprint] = await Promise.all([
    crypto.subtle.importKey('jwk', jwk as Record<string, unknown>, curve, false, ['sign']),
    crypto.subtle.importKey('jwk', publicJwk, curve, true, ['verify']),
    calculateJwkThumbprint(publicJwk),
  ]);
  return await DpopSession.create({
    keyPair: { privateKey, publicKey, publicJwk, thumbprint, alg: 'ES256' },
  });
}

/** Joins the parts of a key with line breaks, which URLs can't contain. */
function entryKey(...parts: readonly string[]): string {
  return parts.join('\n');
}

function isTokensEntry(key: string, url: string): boolean {
  const [what, , server] = key.split('\n');
  return what === 'tokens' && server === url;
}

function parseEntry<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}
