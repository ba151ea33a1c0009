import { calculateJwkThumbprint, type JWK } from 'jose';
import type { ServerMetadata } from 'openid-client';
import { z } from 'zod';
import { publicClientKey } from '../../auth/provider/assertion-key.ts';
import { getProviderMetadata, PROVIDER_TIMEOUT_S, type ProviderAccess } from '../../auth/provider/provider.ts';
import { classifyProviderFailure, toProviderError } from '../../auth/provider/provider-failure.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../machine/private-file.ts';
import { createBoundedFetch, MAX_PROVIDER_RESPONSE_BYTES } from '../../net/bounded-fetch.ts';
import { CIBA_GRANT } from '../../oauth/oauth-names.ts';
import { MESSAGE_SCOPE, ORDER_SCOPE } from '../../oauth/scopes.ts';
import type { RegistrationStorage } from '../../store/registration-storage.ts';
import { detailsTypeByKind } from '../details.ts';
import type { ClientIdSource } from './ciba-client.ts';

export interface RegistrationOptions {
  readonly issuer: string;
  /** The gateway's address. The phone shows it as the client's name, and the provider sends pings to it. */
  readonly resource: string;
  readonly privateKey: JWK;
  readonly details: 'rar' | 'message';
  /** The RFC 9396 types to register. */
  readonly detailsTypes?: readonly string[] | undefined;
  readonly delivery: 'poll' | 'ping';
  readonly storage: RegistrationStorage;
  /** File with an initial access token (RFC 7591 §3), if the provider requires one for registration. */
  readonly tokenFile?: string | undefined;
  readonly access: ProviderAccess;
}

/** A stored registration. If the provider, the key or the delivery mode has changed, the client is registered again. */
const registrationSchema = z.object({
  issuer: z.string(),
  key: z.string(),
  delivery: z.string(),
  client_id: z.string(),
});

const MAX_FILE_BYTES = 16 * 1024;

/** Returns the address to which the provider sends its pings (CIBA Core §10.2). */
const notificationEndpoint = (resource: string) => `${resource.replace(/\/+$/, '')}/ciba/ping`;

/**
 * Returns a source of the client id from dynamic registration (RFC 7591). The client is registered at first use, and
 * again if the provider has forgotten the id. If several processes register at the same time, all use the id that was
 * stored first.
 */
export function createRegisteredClientIdSource(options: RegistrationOptions): ClientIdSource {
  let running: Promise<string> | undefined;

  const current = async (forgotten: string | undefined): Promise<string> => {
    const key = await calculateJwkThumbprint(options.privateKey);
    const { issuer, delivery, storage: place } = options;
    const read = await place.read();
    const kept = read === undefined ? undefined : parseRegistration(read);
    const fits = kept?.issuer === issuer && kept.key === key && kept.delivery === delivery;
    if (kept !== undefined && fits && kept.client_id !== forgotten) return kept.client_id;
    const client_id = await registerClient(options);
    const registered = `${JSON.stringify({ issuer, key, delivery, client_id })}\n`;
    return (await place.write(read, registered)) ? client_id : await current(forgotten);
  };

  return {
    async current(forgotten) {
      while (running !== undefined) await running.catch(() => {});
      running = current(forgotten).finally(() => {
        running = undefined;
      });
      return await running;
    },
  };
}

/** Returns storage that keeps the registration in a file. Only one process may use the file. */
export function createRegistrationFileStorage(file: string): RegistrationStorage {
  const unusable = (why: string) =>
    new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
      hint: 'Move the file elsewhere. The gateway then registers itself again.',
      details: { file },
    });
  return {
    async read() {
      const text = readPrivateFile(file, MAX_FILE_BYTES, unusable);
      if (text !== undefined && parseRegistration(text) === undefined) throw unusable('it is damaged');
      return text;
    },
    async write(_, text) {
      writePrivateFile(file, text);
      return true;
    },
  };
}

function parseRegistration(text: string) {
  try {
    return registrationSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Registers the client and returns its ID. @throws {TradeAgentError} `provider_unreachable`, `provider_error` */
async function registerClient(options: RegistrationOptions): Promise<string> {
  const { issuer, access } = options;
  const metadata = await getProviderMetadata(issuer, access);
  if (metadata.registration_endpoint === undefined) {
    throw new TradeAgentError('provider_error', `${issuer} does not support client registration`, {
      hint: 'Register a client at the provider with the output of "trade-agent gateway key", then set approval.client_id in gateway.yaml.',
    });
  }
  // openid-client's registration function would fetch the provider's metadata again.
  const oauth = await import('oauth4webapi');
  const send = createBoundedFetch(access.fetch ?? fetch, MAX_PROVIDER_RESPONSE_BYTES);
  try {
    const response = await oauth.dynamicClientRegistrationRequest(metadata, clientMetadata(options, metadata), {
      [oauth.allowInsecureRequests]: new URL(issuer).protocol === 'http:',
      signal: AbortSignal.timeout((access.timeoutSeconds ?? PROVIDER_TIMEOUT_S) * 1000),
      [oauth.customFetch]: (url: string, init: RequestInit) => send(url, init),
      ...initialAccessToken(options.tokenFile),
    });
    if (response.status === 401) throw registrationTokenRejected(issuer);
    return (await oauth.processDynamicClientRegistrationResponse(response)).client_id;
  } catch (error) {
    if (isTradeAgentError(error)) throw error;
    throw toProviderError(classifyProviderFailure(error), 'the gateway’s client could not be registered', issuer);
  }
}

/**
 * Reads the initial access token. Called only right before a registration, because the token is valid for one
 * registration and expires soon.
 */
function initialAccessToken(file: string | undefined): { initialAccessToken?: string } {
  if (file === undefined) return {};
  const unusable = (why: string) =>
    new TradeAgentError('invalid_config', `${file} can't be used: ${why}`, {
      hint: 'Save only the registration token from the provider in the file, and make the file private (chmod 600).',
      details: { file },
    });
  const token = readPrivateFile(file, MAX_FILE_BYTES, unusable)?.trim();
  if (token === undefined) throw unusable('there is no such file');
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) throw unusable('it does not contain a token');
  return { initialAccessToken: token };
}

function registrationTokenRejected(issuer: string): TradeAgentError {
  return new TradeAgentError('provider_error', `${issuer} requires a valid registration token`, {
    hint: 'Get a registration token from the provider, save it to the file set as approval.registration_token_file, then try again.',
    details: { error: 'invalid_token' },
  });
}

function clientMetadata(options: RegistrationOptions, announced: ServerMetadata) {
  const scopes = [ORDER_SCOPE, MESSAGE_SCOPE].filter((scope) => announced.scopes_supported?.includes(scope));
  const jwk = publicClientKey(options.privateKey);
  return {
    client_name: `trade-agent gateway at ${new URL(options.resource).host}`.slice(0, 80),
    response_types: [],
    redirect_uris: [],
    // Some providers refuse scopes that they don't advertise, such as those of a resource server. Without any, they use
    // their default.
    ...(scopes.length > 0 ? { scope: ['openid', ...scopes].join(' ') } : {}),
    ...cibaClientMetadata({
      ...options,
      detailsTypes: supportedTypes(options.detailsTypes, announced.authorization_details_types_supported),
      alg: jwk.alg ?? 'ES256',
    }),
    jwks: { keys: [jwk] as [typeof jwk] },
  };
}

/** Returns the metadata with which the gateway registers as a CIBA client (RFC 7591, CIBA Core §4, RFC 9396 §10). */
export function cibaClientMetadata(
  client: Pick<RegistrationOptions, 'resource' | 'details' | 'detailsTypes' | 'delivery'> & {
    readonly alg: string;
  },
) {
  return {
    grant_types: [CIBA_GRANT],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: client.alg,
    backchannel_token_delivery_mode: client.delivery,
    ...(client.delivery === 'ping'
      ? { backchannel_client_notification_endpoint: notificationEndpoint(client.resource) }
      : {}),
    ...(client.details === 'rar'
      ? { authorization_details_types: [...(client.detailsTypes ?? Object.values(detailsTypeByKind))] }
      : {}),
  };
}

/** Returns the types that the provider supports. It may refuse a registration that contains any other type. */
function supportedTypes(types: readonly string[] | undefined, supported: unknown): string[] {
  const wanted = types ?? Object.values(detailsTypeByKind);
  return wanted.filter((type) => !Array.isArray(supported) || supported.includes(type));
}
