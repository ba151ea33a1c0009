import { SCOPES } from '../../oauth/scopes.ts';
import { defined } from '../../values/defined.ts';
import { SIGNING_ALGORITHMS } from './token-rules.ts';

export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** Returns a resource's metadata (RFC 9728 §2), including `authorization_details_types_supported` (RFC 9396 §10). */
export function createProtectedResourceMetadata(options: {
  resource: string;
  issuer: string;
  scopes?: readonly string[];
  detailsTypes?: readonly string[];
  requireBoundTokens?: boolean | undefined;
  name?: string;
}) {
  return {
    resource: options.resource,
    resource_name: options.name ?? 'trade-agent order gateway',
    authorization_servers: [options.issuer],
    scopes_supported: [...(options.scopes ?? SCOPES)],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: [...SIGNING_ALGORITHMS],
    dpop_bound_access_tokens_required: options.requireBoundTokens ?? false,
    ...defined({ authorization_details_types_supported: options.detailsTypes }),
  };
}
