import { cibaClientMetadata } from '../../approval/ciba/client-registration.ts';
import { dialectOf } from '../../config/provider/dialects.ts';
import { detailsTypesOf, type GatewaySettings } from '../../gateway/gateway-settings.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import { APPROVAL_SCOPES } from '../../trading/scopes.ts';
import type { App } from '../app.ts';
import {
  keyFile,
  makeKey,
  nextKeyFile,
  prepareNextKey,
  readKey,
  type ShownKey,
  shownKey,
  switchToNextKey,
} from './key-file.ts';
import { readSettings } from './settings-file.ts';

/** The gateway's folder, and the file that says what it serves. */
export interface GatewayPlaces {
  readonly home: string;
  readonly config: string;
}

/** What is done about the key: `rotate` makes the next one, `confirm` switches to it once the provider knows it. */
export type KeyStep = 'make' | 'show' | 'rotate' | 'confirm';

export interface GatewayKey extends ShownKey {
  readonly status: 'made' | 'in_use' | 'waiting' | 'rotated';
  /** Where its private half is. */
  readonly file: string;
  /** What to register at the identity provider, in the words of OpenID Connect Dynamic Client Registration. */
  readonly clients: readonly Record<string, unknown>[];
}

/**
 * Makes, shows or replaces the key of the gateway's clients at the identity provider.
 * @param kty of a key that is made: `RSA` for providers that take no ES256
 * @throws {TradeAgentError} `usage` for a step out of turn, `invalid_config`, `provider_…` where the new key is not known there
 */
export async function gatewayKey(
  app: Pick<App, 'fetch' | 'clock'>,
  places: GatewayPlaces,
  step: KeyStep,
  kty: 'EC' | 'RSA',
): Promise<GatewayKey> {
  const { home } = places;
  switch (step) {
    case 'make':
      return describe(places, 'made', await makeKey(home, kty));
    case 'show':
      return describe(places, 'in_use', shownKey(readKey(home)));
    case 'rotate':
      return describe(places, 'waiting', await prepareNextKey(home));
    case 'confirm': {
      const settings = await readSettings(places.config);
      const next = await switchToNextKey(home, async (privateKey) => {
        const { requireRecognised } = await import('../../approval/ciba/client-trial.ts');
        const { issuer, approval } = settings;
        const access = { fetch: app.fetch, clock: app.clock };
        for (const clientId of clientIdsOf(settings)) {
          await requireRecognised({ issuer, clientId, privateKey, provider: approval.provider, access });
        }
      });
      return describe(places, 'rotated', next);
    }
  }
}

async function describe(
  places: GatewayPlaces,
  status: GatewayKey['status'],
  key: ShownKey,
): Promise<GatewayKey> {
  return {
    status,
    file: status === 'waiting' ? nextKeyFile(places.home) : keyFile(places.home),
    ...key,
    clients: await clientsToRegister(places, key.jwk.alg ?? 'ES256'),
  };
}

/** The clients that have this key and are registered by hand. */
function clientIdsOf({ exchange, approval }: GatewaySettings): string[] {
  const ids = [exchange?.client_id, approval.client_id ?? exchange?.client_id];
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** As gateway.yaml says; before there is one, a client for everything. */
async function clientsToRegister({ config }: GatewayPlaces, alg: string): Promise<Record<string, unknown>[]> {
  const settings = await readSettings(config).catch((error: unknown) => {
    if (isTradeAgentError(error)) return undefined;
    throw error;
  });
  const { approval, exchange } = settings ?? {};
  const asking = cibaClientMetadata({
    resource: settings?.resource ?? '',
    details: approval?.details ?? 'rar',
    detailsTypes: settings && detailsTypesOf(settings),
    delivery: approval?.delivery ?? 'poll',
    alg,
  });
  const { token_endpoint_auth_method, token_endpoint_auth_signing_alg } = asking;
  const provider = exchange?.grant === 'auth0-token-vault' ? 'auth0' : 'standard';
  const exchanging = {
    grant_types: [dialectOf({ provider }).exchangeGrantType],
    token_endpoint_auth_method,
    token_endpoint_auth_signing_alg,
  };
  const scope = ['openid', ...APPROVAL_SCOPES].join(' ');
  const [exchangeId = null, askingId] = settings === undefined ? [] : clientIdsOf(settings);
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
