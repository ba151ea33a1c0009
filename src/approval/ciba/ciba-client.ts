import type { JWK } from 'jose';
import type { ClientAuth, Configuration, ServerMetadata } from 'openid-client';
import { toAssertionKey } from '../../auth/provider/assertion-key.ts';
import type { ProviderDialect } from '../../auth/provider/dialect.ts';
import { detectProvider, providerDialect } from '../../auth/provider/dialects.ts';
import { clientConfiguration, getProviderMetadata, type ProviderAccess } from '../../auth/provider/provider.ts';
import type { ProviderName } from '../../config/provider-names.ts';

export interface ClientIdSource {
  /**
   * Returns the client ID, and obtains one if necessary.
   * @param forgotten an ID that the provider no longer recognizes; a new ID is obtained, unless another call has
   *   already done so
   * @throws {TradeAgentError} `provider_unreachable`, `provider_error`
   */
  current(forgotten?: string): Promise<string>;
}

export interface CibaClientOptions {
  readonly issuer: string;
  readonly privateKey: JWK;
  /** The issuer's dialect. If undefined, it is detected from the issuer's metadata. */
  readonly provider?: ProviderName | undefined;
  readonly ids: ClientIdSource;
  readonly access: ProviderAccess;
}

/** The gateway as a confidential client of the provider, with the provider's current metadata. */
export interface CibaClient {
  readonly clientId: string;
  readonly metadata: ServerMetadata;
  readonly dialect: ProviderDialect;
  readonly authentication: ClientAuth;
  /** Returns openid-client's configuration, with a fetch and a timeout for one request. */
  configure(request: Pick<ProviderAccess, 'fetch' | 'timeoutSeconds'>): Promise<Configuration>;
}

/** Creates the client for one request, because the provider's metadata may change while the gateway runs. */
export type CibaClientFactory = (forgotten?: string) => Promise<CibaClient>;

/**
 * Returns a function that creates the client. The function rejects with any error of {@link ClientIdSource.current} or
 * of the provider's discovery.
 */
export function createCibaClientFactory({
  issuer,
  privateKey,
  ids,
  access,
  ...options
}: CibaClientOptions): CibaClientFactory {
  let authentication: Promise<ClientAuth> | undefined;
  let discovery: Promise<ServerMetadata> | undefined;

  const authenticate = async (): Promise<ClientAuth> => {
    const { PrivateKeyJwt } = await import('openid-client');
    return PrivateKeyJwt(await toAssertionKey(privateKey));
  };
  // Concurrent polls share one discovery request.
  const discover = (): Promise<ServerMetadata> => {
    discovery ??= getProviderMetadata(issuer, access).finally(() => {
      discovery = undefined;
    });
    return discovery;
  };

  return async (forgotten) => {
    const announced = await discover();
    const provider = options.provider ?? detectProvider(announced);
    const dialect = providerDialect({ provider });
    authentication ??= authenticate();
    const proof = await authentication;
    const clientId = await ids.current(forgotten);
    return {
      clientId,
      metadata: dialect.complete(announced),
      dialect,
      authentication: proof,
      configure: (request) =>
        clientConfiguration(
          { issuer, provider },
          { client_id: clientId, token_endpoint_auth_method: 'private_key_jwt' },
          proof,
          { ...access, ...request },
        ),
    };
  };
}
