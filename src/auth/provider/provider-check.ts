import type { ServerMetadata } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { CIBA_GRANT, DEVICE_GRANT } from '../../oauth/oauth-names.ts';
import { TRADE_ORDER_TYPE } from '../../trading/approval-details.ts';
import type { Dialect, Feature } from './dialect.ts';
import { dialectOf } from './dialects.ts';
import { announcesDpop } from './provider.ts';

/** What was found about one thing the provider must do; every `warn` and `fail` says what to set there. */
export interface ProviderFinding {
  readonly feature: Feature;
  /** `warn`: it works without, or can't be seen from outside. `fail`: something will not work. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly fix?: string;
}

type Checked = Pick<ResolvedProfile, 'provider' | 'dpop' | 'environment'>;

/** Compares what a profile and its gateway need with what the provider's metadata says. Asks nobody. */
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
    tokenExchange(dialect, grants, say),
  ];
}

type Say = (feature: Feature, status: ProviderFinding['status'], message: string) => ProviderFinding;

function ciba(metadata: ServerMetadata, announced: ServerMetadata, lacksGrant: boolean, say: Say) {
  if (metadata.backchannel_authentication_endpoint === undefined || lacksGrant) {
    return say('ciba', 'fail', 'no approvals on the phone (CIBA): no order could be placed');
  }
  const modes = listed(metadata, 'backchannel_token_delivery_modes_supported');
  if (modes !== undefined && !modes.includes('poll') && !modes.includes('ping')) {
    return say('ciba', 'fail', `CIBA without poll and ping mode (only ${modes.join(', ')})`);
  }
  return announced.backchannel_authentication_endpoint === undefined
    ? say('ciba', 'warn', 'approvals on the phone (CIBA): not announced; it may be off')
    : say('ciba', 'ok', 'approvals on the phone (CIBA)');
}

function details(profile: Checked, dialect: Dialect, metadata: ServerMetadata, say: Say) {
  const type = TRADE_ORDER_TYPE;
  if (dialect.details === 'never') {
    const what = `${dialect.label} puts no approved order into the token`;
    return profile.environment === 'live'
      ? say('details', 'fail', `${what}: the gateway asks for no live order there`)
      : say('details', 'warn', `${what}: the phone shows a short message alone`);
  }
  const types = listed(metadata, 'authorization_details_types_supported');
  if (types?.includes(type)) return say('details', 'ok', `approvals carry the order (type ${type})`);
  if (types !== undefined && dialect.details === 'announced') {
    return say(
      'details',
      'warn',
      `authorization details of type ${type} are unknown (it knows ${types.join(', ') || 'none'}): details_type in gateway.yaml must be one of those`,
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
