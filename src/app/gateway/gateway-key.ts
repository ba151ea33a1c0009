import { cibaClientMetadata } from '../../approval/ciba/client-registration.ts';
import { providerDialect } from '../../auth/provider/dialects.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { type GatewaySettings, listAuthorizationDetailsTypes } from '../../gateway/gateway-settings.ts';
import { APPROVAL_SCOPES } from '../../oauth/scopes.ts';
import type { App } from '../app.ts';
import { withGatewayKeys } from './gateway-database.ts';
import type { GatewayKeys } from './gateway-keys.ts';
import { addWrappingKeyToFile, type PublicKey, toPublicKey } from './key-file.ts';
import { type GatewayPaths, readGatewaySettingsFile, readStorageSettings } from './settings-file.ts';

/**
 * `rotate` creates the next key. `confirm` replaces the current key with the next key if the provider accepts it.
 * `rewrap` wraps all of the gateway's keys with the newest wrapping key.
 */
export type KeyAction = 'make' | 'show' | 'rotate' | 'confirm' | 'rewrap';

/** Adds a key to the settings' wrapping key file. @throws {TradeAgentError} see {@link addWrappingKeyToFile} */
export async function addGatewayWrappingKey({ home, config }: GatewayPaths): Promise<string> {
  return await addWrappingKeyToFile((await readStorageSettings(config)).kms?.file, home, 'gateway.yaml');
}

export interface GatewayKey extends PublicKey {
  readonly status: 'made' | 'in_use' | 'waiting' | 'rotated' | 'rewrapped';
  /** The private key's file, or null if the key is wrapped in the gateways' database. */
  readonly file: string | null;
  /** Client metadata to register with the identity provider (OpenID Connect Dynamic Client Registration). */
  readonly clients: readonly Record<string, unknown>[];
}

/**
 * Creates, shows or replaces the key with which the gateway's clients authenticate to the identity provider.
 * @param kty type of a new key: `RSA` for providers that don't accept ES256
 * @throws {TradeAgentError} `usage` for an action out of order, `invalid_config`, `provider_…` if the provider does not
 *   accept the new key
 */
export async function runGatewayKeyAction(
  app: Pick<App, 'fetch' | 'clock' | 'env'>,
  places: GatewayPaths,
  step: KeyAction,
  kty: 'EC' | 'RSA',
): Promise<GatewayKey> {
  const kept = await readStorageSettings(places.config);
  return await withGatewayKeys(kept, places.home, app.env, async (keys) => {
    const { status, key } = await runKeyStep(app, keys, places, step, kty);
    const file = status === 'waiting' ? keys.nextFile : keys.file;
    return { status, file, ...key, clients: await clientsToRegister(places, key.jwk.alg ?? 'ES256') };
  });
}

async function runKeyStep(
  app: Pick<App, 'fetch' | 'clock'>,
  keys: GatewayKeys,
  places: GatewayPaths,
  step: KeyAction,
  kty: 'EC' | 'RSA',
): Promise<{ readonly status: GatewayKey['status']; readonly key: PublicKey }> {
  switch (step) {
    case 'make':
      return { status: 'made', key: await keys.make(kty) };
    case 'show':
      return { status: 'in_use', key: toPublicKey(await keys.client()) };
    case 'rotate':
      return { status: 'waiting', key: await keys.prepareNext() };
    case 'rewrap':
      await keys.rewrap();
      return { status: 'rewrapped', key: toPublicKey(await keys.client()) };
    case 'confirm': {
      const settings = await readGatewaySettingsFile(places.config);
      const key = await keys.switchToNext(async (privateKey) => {
        const { verifyClientKey } = await import('../../approval/ciba/verify-client-key.ts');
        const { issuer, approval } = settings;
        const access = { fetch: app.fetch, clock: app.clock };
        for (const clientId of manualClientIds(settings)) {
          await verifyClientKey({ issuer, clientId, privateKey, provider: approval.provider, access });
        }
      });
      return { status: 'rotated', key };
    }
  }
}

function manualClientIds({ exchange, approval }: GatewaySettings): string[] {
  const ids = [exchange?.client_id, approval.client_id ?? exchange?.client_id];
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** Returns the clients from gateway.yaml, or a single client for all purposes if that file does not exist yet. */
async function clientsToRegister({ config }: GatewayPaths, alg: string): Promise<Record<string, unknown>[]> {
  const settings = await readGatewaySettingsFile(config).catch((error: unknown) => {
    if (isTradeAgentError(error)) return undefined;
    throw error;
  });
  const { approval, exchange } = settings ?? {};
  const asking = cibaClientMetadata({
    resource: settings?.resource ?? '',
    details: approval?.details ?? 'rar',
    detailsTypes: settings && listAuthorizationDetailsTypes(settings),
    delivery: approval?.delivery ?? 'poll',
    alg,
  });
  const { token_endpoint_auth_method, token_endpoint_auth_signing_alg } = asking;
  const provider = exchange?.grant === 'auth0-token-vault' ? 'auth0' : 'standard';
  const exchanging = {
    grant_types: [providerDialect({ provider }).exchangeGrantType],
    token_endpoint_auth_method,
    token_endpoint_auth_signing_alg,
  };
  const scope = ['openid', ...APPROVAL_SCOPES].join(' ');
  const [exchangeId = null, askingId] = settings === undefined ? [] : manualClientIds(settings);
  if (settings !== undefined && exchange === undefined) {
    return approval?.registration ? [] : [{ client_id: exchangeId, ...asking, scope }];
  }
  if (approval?.registration) return [{ client_id: exchangeId, ...exchanging }];
  if (askingId !== undefined) {
    return [
      { client_id: exchangeId, ...exchanging },
      { client_id: askingId, ...asking, scope },
    ];
  }
  const grant_types = [...asking.grant_types, ...exchanging.grant_types];
  return [{ client_id: exchangeId, ...asking, grant_types, scope }];
}
