import { companyKey, homeYamlLines, publicCompanyKey } from '../../auth/company/client-key.ts';
import type { CompanySignIn } from '../../config/profile.ts';
import { requireCompany } from '../../config/resolve-profile.ts';
import type { App } from '../app.ts';
import { type AskedCompany, chosenCompany } from './chosen-company.ts';

/** What others must know of this machine before a company's word lets anybody in from it. */
export interface ShownKey {
  readonly profile: string;
  readonly company: CompanySignIn;
  /** RFC 7517: the public half alone. */
  readonly key: Readonly<Record<string, string>>;
  /** What whoever runs the home adds to its home.yaml. */
  readonly homeYaml: readonly string[];
}

/**
 * The key that this machine proves itself by, made at first use.
 * @throws {TradeAgentError} `usage` where no company is named; `invalid_config`, `credential_store_…`
 */
export async function showCompanyKey(app: App, asked: AskedCompany): Promise<ShownKey> {
  const profile = await app.profile();
  const company = await chosenCompany(app, asked);
  requireCompany(profile, company);
  const key = publicCompanyKey(await companyKey(await app.store()));
  return { profile: profile.name, company, key, homeYaml: homeYamlLines(company, key) };
}
