import type { CompanySignIn } from '../../config/profile.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { publicClientKey } from '../provider/assertion-key.ts';
import { generatePrivateJwk, type PrivateJwk, parsePrivateJwk } from '../session/dpop-key.ts';

/** This machine's key for authenticating to the company and the home (`private_key_jwt`). `kid` is its thumbprint. */
export type CompanyClientKey = PrivateJwk & { readonly kid: string; readonly alg: 'ES256' };

/** Returns the key, creating and storing it on first use. @throws {TradeAgentError} `credential_store_…` */
export async function ensureCompanyKey(store: CredentialStore): Promise<CompanyClientKey> {
  const { company_key: kept } = await store.get(['company_key'], { fresh: true });
  if (kept !== undefined) return await withKeyId(parsePrivateJwk(kept));
  const made = await generatePrivateJwk();
  const isFirst = await store.set({ company_key: JSON.stringify(made) }, { company_key: undefined });
  // Another process stored its key first, and may already have shown the public key to an administrator, so that key is
  // used.
  return isFirst ? await withKeyId(made) : await ensureCompanyKey(store);
}

export async function readCompanyKey(store: CredentialStore): Promise<CompanyClientKey | undefined> {
  const { company_key: kept } = await store.get(['company_key']);
  return kept === undefined ? undefined : await withKeyId(parsePrivateJwk(kept));
}

async function withKeyId(key: PrivateJwk): Promise<CompanyClientKey> {
  const { calculateJwkThumbprint } = await import('jose');
  return { ...key, kid: await calculateJwkThumbprint(key), alg: 'ES256' };
}

export function publicCompanyKey(key: CompanyClientKey): Record<string, string> {
  return publicClientKey(key);
}

export function companyClientYamlLines(
  { issuer, client_id }: CompanySignIn,
  publicKey: Record<string, string>,
): readonly string[] {
  return [
    'companies:',
    `  - issuer: ${JSON.stringify(issuer)}`,
    '    clients:',
    `      - client_id: ${JSON.stringify(client_id)}`,
    '        name: trade-agent',
    `        jwks: {keys: [${JSON.stringify(publicKey)}]}`,
  ];
}
