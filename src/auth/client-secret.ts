import { z } from 'zod';
import { TradeAgentError } from '../trading/errors.ts';
import type { CredentialStore } from './credential-store/credential-store.ts';
import type { ResolvedProfile } from './profile.ts';

/** Issuer and client are part of it: a secret goes only where it was meant to. */
const storedSecretSchema = z.object({ issuer: z.string(), client_id: z.string(), secret: z.string() });

const LONGEST_SECRET = 512;

/**
 * Keeps the approval client's secret, for a provider that takes no key.
 * @throws {TradeAgentError} `usage` for what can't be a secret; `credential_store_…`
 */
export async function storeClientSecret(
  profile: ResolvedProfile & { readonly approval_client: { readonly client_id: string } },
  store: CredentialStore,
  secret: string,
): Promise<void> {
  if (!/^[\x21-\x7e]+$/.test(secret) || secret.length > LONGEST_SECRET) {
    throw new TradeAgentError('usage', 'that is not a client secret', {
      hint: `One line of 1 to ${LONGEST_SECRET} printable characters without spaces. Nothing was changed.`,
    });
  }
  await store.set({
    approval_secret: JSON.stringify({
      issuer: profile.issuer,
      client_id: profile.approval_client.client_id,
      secret,
    }),
  });
}

/** @throws {TradeAgentError} `invalid_config` when there is none for this client at this issuer */
export async function clientSecret(
  profile: ResolvedProfile,
  store: CredentialStore,
  clientId: string,
): Promise<string> {
  const { approval_secret: text } = await store.get(['approval_secret']);
  const stored = text === undefined ? undefined : parse(text);
  if (stored?.issuer === profile.issuer && stored.client_id === clientId) return stored.secret;
  throw new TradeAgentError('invalid_config', `profile "${profile.name}" has no secret for ${clientId}`, {
    hint: `Run "trade-agent profile set-secret ${profile.name}".`,
  });
}

function parse(text: string): z.output<typeof storedSecretSchema> | undefined {
  try {
    return storedSecretSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
