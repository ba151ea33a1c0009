import type { ServerMetadata } from 'openid-client';
import type { ResolvedProfile } from './profile.ts';
import { announcesDpop } from './provider.ts';
import type { Dialect, Feature } from './providers/dialect.ts';
import { dialectOf } from './providers/dialect-of.ts';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';

/** What was found about one thing the provider must do; every `warn` and `fail` says what to set there. */
export interface ProviderFinding {
  readonly feature: Feature;
  /** `warn`: it works without, or can't be seen from outside. `fail`: something will not work. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly fix?: string;
}

type Checked = Pick<
  ResolvedProfile,
  'provider' | 'details_type' | 'dpop' | 'approval_client' | 'login_client'
>;

/** Compares what a profile needs with what the provider's metadata says. Asks nobody. */
export function checkProviderFeatures(profile: Checked, announced: ServerMetadata): ProviderFinding[] {
  const dialect = dialectOf(profile);
  const { setup } = dialect;
  const metadata = dialect.complete(announced);
  const grants = listed(metadata, 'grant_types_supported');
  const lacks = (grant: string) => grants !== undefined && !grants.includes(grant);
  const say = (feature: Feature, status: ProviderFinding['status'], message: string): ProviderFinding => ({
    feature,
    status,
    message,
    ...(status === 'ok' ? {} : { fix: setup[feature] }),
  });

  return [
    metadata.device_authorization_endpoint === undefined || lacks(DEVICE_GRANT)
      ? say('device', 'fail', 'no device login (RFC 8628): nobody could sign in')
      : say('device', 'ok', 'device login'),
    ciba(metadata, announced, lacks(CIBA_GRANT), say),
    details(profile, dialect, metadata, say),
    dpop(profile, metadata, say),
    approvalClient(profile, dialect, metadata, say),
    tokenExchange(dialect, grants, say),
  ];
}

type Say = (feature: Feature, status: ProviderFinding['status'], message: string) => ProviderFinding;

function ciba(metadata: ServerMetadata, announced: ServerMetadata, lacksGrant: boolean, say: Say) {
  const modes = listed(metadata, 'backchannel_token_delivery_modes_supported');
  if (metadata.backchannel_authentication_endpoint === undefined || lacksGrant) {
    return say('ciba', 'fail', 'no approvals on the phone (CIBA): no order could be placed');
  }
  if (modes !== undefined && !modes.includes('poll')) {
    return say('ciba', 'fail', `CIBA without poll mode (only ${modes.join(', ')})`);
  }
  return announced.backchannel_authentication_endpoint === undefined
    ? say('ciba', 'warn', 'approvals on the phone (CIBA): not announced; it may be off')
    : say('ciba', 'ok', 'approvals on the phone (CIBA)');
}

function details(profile: Checked, dialect: Dialect, metadata: ServerMetadata, say: Say) {
  const type = profile.details_type;
  if (dialect.details === 'never') {
    return say(
      'details',
      'fail',
      `${dialect.label} puts no approved order into the token: the gateway refuses every order`,
    );
  }
  const types = listed(metadata, 'authorization_details_types_supported');
  if (types?.includes(type)) return say('details', 'ok', `approvals carry the order (type ${type})`);
  if (types !== undefined && dialect.details === 'announced') {
    return say(
      'details',
      'fail',
      `authorization details of type ${type} are unknown (it knows ${types.join(', ') || 'none'})`,
    );
  }
  return say(
    'details',
    'warn',
    `whether approvals carry the order (type ${type}) can't be seen from outside`,
  );
}

function dpop(profile: Checked, metadata: ServerMetadata, say: Say) {
  if (!announcesDpop(metadata)) return say('dpop', 'warn', 'no DPoP: a stolen token works anywhere');
  return profile.dpop === false
    ? say('dpop', 'warn', 'DPoP is turned off in the profile: a stolen token works anywhere')
    : say('dpop', 'ok', "tokens bound to this machine's key (DPoP)");
}

function approvalClient(profile: Checked, dialect: Dialect, metadata: ServerMetadata, say: Say) {
  const client = profile.approval_client;
  const methods = listed(metadata, 'token_endpoint_auth_methods_supported');
  if (client === undefined) {
    if (metadata.registration_endpoint === undefined) {
      return say(
        'approval_client',
        'fail',
        'the profile names no approval client, and none can register itself',
      );
    }
    return dialect.name === 'standard'
      ? say('approval_client', 'ok', 'the approval client registers itself')
      : say(
          'approval_client',
          'warn',
          `the profile names no approval client; ${dialect.label} lets one register itself only where that was opened`,
        );
  }
  if (client.client_id === profile.login_client.client_id) {
    return say('approval_client', 'warn', 'one client signs in and asks for approvals; two are safer');
  }
  const authentication = client.authentication ?? 'private_key_jwt';
  if (methods !== undefined && !methods.includes(authentication)) {
    return say('approval_client', 'fail', `clients can't authenticate by ${authentication} there`);
  }
  return authentication !== 'private_key_jwt' && methods?.includes('private_key_jwt')
    ? say('approval_client', 'warn', 'the approval client has a secret, although the provider takes a key')
    : say('approval_client', 'ok', `approval client ${client.client_id} (${authentication})`);
}

/** Of use to the gateway alone, which may have another way to the broker. */
function tokenExchange(dialect: Dialect, grants: readonly string[] | undefined, say: Say) {
  return grants?.includes(dialect.exchangeGrantType)
    ? say('token_exchange', 'ok', "token exchange, for the gateway's access to the broker")
    : say('token_exchange', 'warn', 'token exchange is not announced; the gateway needs it for the broker');
}

function listed(metadata: ServerMetadata, name: string): string[] | undefined {
  const value = metadata[name];
  return Array.isArray(value) ? value.map(String) : undefined;
}
