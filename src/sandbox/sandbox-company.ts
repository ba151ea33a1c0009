import type { HomeOptions } from '../home/home.ts';
import type { Company as ListedCompany } from '../home/identity-provider/companies/company.ts';
import { MCP_SCOPES } from '../oauth/scopes.ts';
import type { CompanyOptions } from './company/company.ts';
import type { CompanyRule } from './company/rules.ts';
import type { SandboxHome } from './sandbox-home.ts';

/** The client by which the sandbox's people sign in at their company; machines bring keys of their own. */
export const COMPANY_CLIENT_ID = 'trade-agent-acme';

const NAME = 'Acme';
const client = { client_id: COMPANY_CLIENT_ID, name: `trade-agent at ${NAME}` };

/** Whom the company knows somebody as that is `username` at the home. */
const subOf = (username: string): string => `00u-${username}`;

interface Addresses {
  readonly company: string;
  /** The home, which is the gateway, too. */
  readonly issuer: string;
}

/** Everybody in the sandbox works at Acme, and may sign in there. */
export function companySettings(
  { seed, pairingSecret }: Pick<SandboxHome, 'seed' | 'pairingSecret'>,
  { company }: Pick<Addresses, 'company'>,
): Omit<CompanyOptions, 'database' | 'rules' | 'clock' | 'onError'> {
  const groups = ['staff', 'traders'];
  return {
    issuer: company,
    name: NAME,
    people: seed.users.map(({ username, name, broker_password: password }) => ({
      sub: subOf(username),
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

/** The company lets its traders in at the home, for what any program may do there. */
export function usualRule({ issuer }: Pick<Addresses, 'issuer'>): CompanyRule {
  return {
    client_id: COMPANY_CLIENT_ID,
    audience: issuer,
    resources: [issuer, `${issuer}/mcp`],
    scopes: MCP_SCOPES,
    groups: ['traders'],
  };
}

/** How the home knows it. */
export function companiesAtHome(
  { seed }: Pick<SandboxHome, 'seed'>,
  company: string,
): Pick<HomeOptions, 'clientKeys' | 'companies'> {
  const keys = `${company}/clients/${COMPANY_CLIENT_ID}/jwks`;
  const listed: ListedCompany = {
    issuer: company,
    name: NAME,
    organization: 'acme',
    scopes: MCP_SCOPES,
    people: Object.fromEntries(seed.users.map(({ username }) => [subOf(username), username])),
    clients: [{ ...client, jwks_uri: keys }],
    groups: true,
  };
  return {
    companies: [listed],
    // A home reads nothing from its own machine, and here the company is there.
    clientKeys: () => fetch(keys),
  };
}
