import type Provider from 'oidc-provider';
import { failpoint } from '../../machine/failpoint.ts';
import { CIBA_GRANT, ID_JAG_PROFILE } from '../../oauth/oauth-names.ts';
import { MCP_SCOPES } from '../../oauth/scopes.ts';
import type { Faults } from '../faults.ts';
import type { Company } from './companies/company.ts';
import { connectedAccountsUrl, OUTCOME_PATH, POLL_INTERVAL } from './protocol.ts';

/** What the library's own answers lack, or say too much of. */
export function completeAnswers(
  provider: Provider,
  {
    issuer,
    faults,
    companies,
  }: { readonly issuer: string; readonly faults: Faults; readonly companies: readonly Company[] },
): void {
  provider.use(async (ctx, next) => {
    await next();
    const route: unknown = ctx.oidc?.route;
    if (route === 'discovery' && ctx.status === 200) {
      ctx.body = {
        ...ctx.body,
        // Several clients ask for all that is listed: what an approval alone can give is not.
        scopes_supported: ['openid', 'offline_access', ...MCP_SCOPES],
        response_modes_supported: ['query'],
        connected_accounts_endpoint: connectedAccountsUrl(issuer),
        backchannel_outcome_endpoint: `${issuer}${OUTCOME_PATH}`,
        backchannel_user_code_parameter_supported: false,
        // By which a company's program knows that it may come so, MCP's enterprise-managed authorization (§6) too.
        ...(companies.length === 0 ? {} : { authorization_grant_profiles_supported: [ID_JAG_PROFILE] }),
      };
    }
    if ((route === 'backchannel_authentication' || route === 'device_authorization') && ctx.status === 200) {
      ctx.body = { ...ctx.body, interval: POLL_INTERVAL };
    }
    const approved = route === 'token' && ctx.status === 200 && ctx.oidc.params.grant_type === CIBA_GRANT;
    if (approved) failpoint('idp.issued');
    if (approved && faults.take('lost_token_response')) {
      ctx.respond = false;
      ctx.req.socket.destroy();
    }
  });
}
