import type { ServerMetadata } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { CIBA_GRANT, DEVICE_GRANT } from '../../oauth/oauth-names.ts';
import { TRADE_ORDER_DETAILS_TYPE } from '../../trading/approval-details.ts';
import type { ProviderDialect, ProviderFeature } from './dialect.ts';
import { providerDialect } from './dialects.ts';
import { supportsDpop } from './provider.ts';

/** The result of checking one feature. A `warn` or `fail` says what to configure at the provider. */
export interface ProviderFinding {
  readonly feature: ProviderFeature;
  /** `warn`: optional, or impossible to check from outside. `fail`: something will not work. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly fix?: string;
}

type CheckedProfile = Pick<ResolvedProfile, 'provider' | 'dpop' | 'environment'>;

/** Compares the features that a profile and its gateway need with the provider's metadata. Sends no requests. */
export function checkProviderFeatures(profile: CheckedProfile, announced: ServerMetadata): ProviderFinding[] {
  const dialect = providerDialect(profile);
  const { setup } = dialect;
  const metadata = dialect.complete(announced);
  const grants = listedValues(metadata, 'grant_types_supported');
  const lacks = (grant: string) => grants !== undefined && !grants.includes(grant);
  const say = (feature: ProviderFeature, status: ProviderFinding['status'], message: string): ProviderFinding => ({
    feature,
    status,
    message,
    ...(status === 'ok' ? {} : { fix: setup[feature] }),
  });

  return [
    metadata.device_authorization_endpoint === undefined || lacks(DEVICE_GRANT)
      ? say('device', 'fail', 'no device login (RFC 8628), so nobody can sign in')
      : say('device', 'ok', 'device login'),
    cibaFinding(metadata, announced, lacks(CIBA_GRANT), say),
    detailsFinding(profile, dialect, metadata, say),
    dpopFinding(profile, metadata, say),
    tokenExchangeFinding(dialect, grants, say),
  ];
}

type MakeFinding = (feature: ProviderFeature, status: ProviderFinding['status'], message: string) => ProviderFinding;

function cibaFinding(metadata: ServerMetadata, announced: ServerMetadata, lacksGrant: boolean, say: MakeFinding) {
  if (metadata.backchannel_authentication_endpoint === undefined || lacksGrant) {
    return say('ciba', 'fail', 'no phone approvals (CIBA), so no order can be placed');
  }
  const modes = listedValues(metadata, 'backchannel_token_delivery_modes_supported');
  if (modes !== undefined && !modes.includes('poll') && !modes.includes('ping')) {
    return say('ciba', 'fail', `CIBA supports neither poll nor ping mode (only ${modes.join(', ')})`);
  }
  return announced.backchannel_authentication_endpoint === undefined
    ? say('ciba', 'warn', 'phone approvals (CIBA) are not advertised and may be turned off')
    : say('ciba', 'ok', 'phone approvals (CIBA)');
}

function detailsFinding(profile: CheckedProfile, dialect: ProviderDialect, metadata: ServerMetadata, say: MakeFinding) {
  const type = TRADE_ORDER_DETAILS_TYPE;
  if (dialect.details === 'never') {
    const what = `${dialect.label} does not put the approved order into the token`;
    return profile.environment === 'live'
      ? say('details', 'fail', `${what}, so the gateway does not request approvals for live orders`)
      : say('details', 'warn', `${what}, so the phone shows only a short message`);
  }
  const types = listedValues(metadata, 'authorization_details_types_supported');
  if (types?.includes(type)) return say('details', 'ok', `approvals include the order’s details (type ${type})`);
  if (types !== undefined && dialect.details === 'announced') {
    return say(
      'details',
      'warn',
      `authorization details of type ${type} are not supported (supported: ${types.join(', ') || 'none'}); set details_type in gateway.yaml to a supported type`,
    );
  }
  return say(
    'details',
    'warn',
    `the provider's metadata does not say whether approvals include the order’s details (type ${type})`,
  );
}

function dpopFinding(profile: CheckedProfile, metadata: ServerMetadata, say: MakeFinding) {
  if (!supportsDpop(metadata)) return say('dpop', 'warn', 'DPoP is not supported, so a stolen token works anywhere');
  return profile.dpop === false
    ? say('dpop', 'warn', 'DPoP is turned off in the profile, so a stolen token works anywhere')
    : say('dpop', 'ok', "tokens bound to this machine's key (DPoP)");
}

/**
 * Returns a warning, not a failure, if the provider has no token exchange: the gateway may have another way to reach
 * the broker.
 */
function tokenExchangeFinding(dialect: ProviderDialect, grants: readonly string[] | undefined, say: MakeFinding) {
  return grants?.includes(dialect.exchangeGrantType)
    ? say('token_exchange', 'ok', "token exchange, for the gateway's access to the broker")
    : say('token_exchange', 'warn', 'token exchange is not advertised; the gateway needs it to reach the broker');
}

function listedValues(metadata: ServerMetadata, name: string): string[] | undefined {
  const value = metadata[name];
  return Array.isArray(value) ? value.map(String) : undefined;
}
