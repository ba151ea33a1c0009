import type { ServerMetadata } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { CIBA_GRANT, DEVICE_GRANT } from '../../oauth/oauth-names.ts';
import { TRADE_ORDER_TYPE } from '../../trading/approval-details.ts';
import type { Dialect, Feature } from './dialect.ts';
import { providerDialect } from './dialects.ts';
import { announcesDpop } from './provider.ts';

/** The result of checking one feature that the provider must support. Every `warn` and `fail` says what to configure there. */
export interface ProviderFinding {
  readonly feature: Feature;
  /** `warn`: optional, or impossible to check from outside. `fail`: something will not work. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly fix?: string;
}

type Checked = Pick<ResolvedProfile, 'provider' | 'dpop' | 'environment'>;

/** Compares what a profile and its gateway need with the provider's metadata. Sends no requests. */
export function checkProviderFeatures(profile: Checked, announced: ServerMetadata): ProviderFinding[] {
  const dialect = providerDialect(profile);
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
      ? say('device', 'fail', 'no device login (RFC 8628), so nobody can sign in')
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
    return say('ciba', 'fail', 'no phone approvals (CIBA), so no order can be placed');
  }
  const modes = listed(metadata, 'backchannel_token_delivery_modes_supported');
  if (modes !== undefined && !modes.includes('poll') && !modes.includes('ping')) {
    return say('ciba', 'fail', `CIBA supports neither poll nor ping mode (only ${modes.join(', ')})`);
  }
  return announced.backchannel_authentication_endpoint === undefined
    ? say('ciba', 'warn', 'phone approvals (CIBA) are not announced and may be turned off')
    : say('ciba', 'ok', 'phone approvals (CIBA)');
}

function details(profile: Checked, dialect: Dialect, metadata: ServerMetadata, say: Say) {
  const type = TRADE_ORDER_TYPE;
  if (dialect.details === 'never') {
    const what = `${dialect.label} does not put the approved order into the token`;
    return profile.environment === 'live'
      ? say('details', 'fail', `${what}, so the gateway requests no live orders there`)
      : say('details', 'warn', `${what}, so the phone shows only a short message`);
  }
  const types = listed(metadata, 'authorization_details_types_supported');
  if (types?.includes(type)) return say('details', 'ok', `approvals carry the order (type ${type})`);
  if (types !== undefined && dialect.details === 'announced') {
    return say(
      'details',
      'warn',
      `authorization details of type ${type} are not supported (supported: ${types.join(', ') || 'none'}); set details_type in gateway.yaml to one of those`,
    );
  }
  return say(
    'details',
    'warn',
    `whether approvals carry the order (type ${type}) can't be seen from outside`,
  );
}

function dpop(profile: Checked, metadata: ServerMetadata, say: Say) {
  if (!announcesDpop(metadata)) return say('dpop', 'warn', 'no DPoP, so a stolen token works anywhere');
  return profile.dpop === false
    ? say('dpop', 'warn', 'DPoP is turned off in the profile, so a stolen token works anywhere')
    : say('dpop', 'ok', "tokens bound to this machine's key (DPoP)");
}

/** Only the gateway uses token exchange, and it may have another way to reach the broker. */
function tokenExchange(dialect: Dialect, grants: readonly string[] | undefined, say: Say) {
  return grants?.includes(dialect.exchangeGrantType)
    ? say('token_exchange', 'ok', "token exchange, for the gateway's access to the broker")
    : say(
        'token_exchange',
        'warn',
        'token exchange is not announced; the gateway needs it to reach the broker',
      );
}

function listed(metadata: ServerMetadata, name: string): string[] | undefined {
  const value = metadata[name];
  return Array.isArray(value) ? value.map(String) : undefined;
}
