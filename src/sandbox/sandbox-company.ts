import type { HomeOptions } from '../home/home.ts';
import type { Company as ListedCompany } from '../home/identity-provider/companies/company.ts';
import { MCP_SCOPES } from '../oauth/scopes.ts';
import type { CompanyOptions } from './company/company.ts';
import type { CompanyRule } from './company/rules.ts';
import type { SandboxHome } from './sandbox-home.ts';

/** The client through which people sign in to their company. Each machine adds its own key to this client. */
export const COMPANY_CLIENT_ID = 'trade-agent-acme';

const NAME = 'Acme';
const client = { client_id: COMPANY_CLIENT_ID, name: `trade-agent at ${NAME}` };

const personSub = (username: string): string => `00u-${username}`;

interface Addresses {
  readonly company: string;
  readonly issuer: string;
}

export function companySettings(
  { seed, pairingSecret }: Pick<SandboxHome, 'seed' | 'pairingSecret'>,
  { company }: Pick<Addresses, 'company'>,
): Omit<CompanyOptions, 'database' | 'rules' | 'clock' | 'onError'> {
  const groups = ['staff', 'traders'];
  return {
    issuer: company,
    name: NAME,
    people: seed.users.map(({ username, name, broker_password: password }) => ({
      sub: personSub(username),
      username,
      name,
      password,
      groups,
      email: `${username}@acme.example`,
    })),
    clients: [client],
    pairingSecret,
  };
}

export function defaultCompanyRule({ issuer }: Pick<Addresses, 'issuer'>): CompanyRule {
  return {
    client_id: COMPANY_CLIENT_ID,
    audience: issuer,
    resources: [issuer, `${issuer}/mcp`],
    scopes: MCP_SCOPES,
    groups: ['traders'],
  };
}

export function homeCompanySettings(
  { seed }: Pick<SandboxHome, 'seed'>,
  company: string,
): Pick<HomeOptions, 'clientKeys' | 'companies'> {
  const keys = `${company}/clients/${COMPANY_CLIENT_ID}/jwks`;
  const listed: ListedCompany = {
    issuer: company,
    name: NAME,
    organization: 'acme',
    scopes: MCP_SCOPES,
    people: Object.fromEntries(seed.users.map(({ username }) => [personSub(username), username])),
    clients: [{ ...client, jwks_uri: keys }],
    groups: true,
  };
  return {
    companies: [listed],
    // The home's fetch rejects loopback addresses, but the sandbox's company has one.
    clientKeys: () => fetch(keys),
  };
}
