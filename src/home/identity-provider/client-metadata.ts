import { type AllClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { CIBA_GRANT } from '../../net/oauth-names.ts';
import { checkPublicClient, isDocumentId } from './authorization/public-client.ts';
import { checkApprovalClient } from './clients.ts';

/**
 * What a client may say of itself: one that a person stands behind asks for approvals; whoever registers without a person,
 * or says who they are in a document of their own, is somebody's program without a secret.
 * @param ctx undefined for what is read elsewhere than in a request
 * @throws `invalid_client_metadata`, `invalid_redirect_uri`, 401 `invalid_token`
 */
export function checkClientMetadata(ctx: KoaContextWithOIDC | undefined, metadata: AllClientMetadata): void {
  const isRegistration = ctx?.oidc.route === 'registration';
  if (isRegistration && ctx.get('authorization') !== '') {
    checkApprovalClient(metadata);
  } else if (isDocumentId(metadata.client_id)) {
    checkPublicClient(metadata);
  } else if (isRegistration) {
    requireNoApprovals(metadata);
    checkPublicClient(metadata);
  }
}

function requireNoApprovals({ grant_types = [], token_endpoint_auth_method }: AllClientMetadata): void {
  if (!grant_types.includes(CIBA_GRANT) && token_endpoint_auth_method !== 'private_key_jwt') return;
  throw Object.assign(
    new errors.CustomOIDCProviderError(
      'invalid_token',
      // Part of a header.
      "a registration takes a session's access token, or a token from /phone/programs",
    ),
    { status: 401, statusCode: 401 },
  );
}
