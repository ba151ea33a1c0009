import { companyName } from '../../auth/company/company-failure.ts';
import { providerMetadata } from '../../auth/provider/provider.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { DEVICE_GRANT, ID_JAG_PROFILE, ID_JAG_TYPE, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import type { App } from '../app.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Seconds for each request, as the doctor's others. */
const LIMIT_S = 5;

/** Where a company lets the person in: whether it can, and whether the home takes its word. Nothing where none does. */
export async function checkCompany(app: App, profile: ResolvedProfile): Promise<Finding[]> {
  const { company, issuer } = profile;
  if (company === undefined) return [];
  const access = { clock: app.clock, fetch: app.fetch, timeoutSeconds: LIMIT_S };
  const theirs = await providerMetadata(company.issuer, access);
  const name = companyName(company);
  const details = { issuer: company.issuer, client_id: company.client_id };
  const grants = listed(theirs.grant_types_supported);
  const lacking = [
    ...(theirs.device_authorization_endpoint === undefined || grants?.includes(DEVICE_GRANT) === false
      ? ['the device flow']
      : []),
    ...(grants?.includes(TOKEN_EXCHANGE_GRANT) === false ? ['token exchange'] : []),
  ];
  if (lacking.length > 0) {
    return [
      fail(
        'company',
        `${company.issuer} lacks ${lacking.join(' and ')}`,
        `Ask whoever runs ${name} to turn it on.`,
        {
          details,
        },
      ),
    ];
  }
  const ours = await providerMetadata(issuer, access);
  if (listed(ours.authorization_grant_profiles_supported)?.includes(ID_JAG_PROFILE) !== true) {
    const fix = 'Whoever runs the home lists the company in its home.yaml: see docs/operate/COMPANY.md.';
    return [fail('company', `${issuer} takes no company's word`, fix, { details })];
  }
  if (listed(theirs.identity_chaining_requested_token_types_supported)?.includes(ID_JAG_TYPE) !== true) {
    const fix = `Ask whoever runs ${name} whether it issues ID-JAGs (Cross App Access).`;
    return [
      warn('company', `${company.issuer} does not say that it lets people in elsewhere`, fix, { details }),
    ];
  }
  return [
    ok('company', `${company.issuer} can let people in at ${issuer}, which takes such words`, { details }),
  ];
}

function listed(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}
