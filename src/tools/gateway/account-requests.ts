import { TradeAgentError } from '../../errors/errors.ts';
import { PROPOSE_ORDERS_SCOPE, READ_SCOPES } from '../../oauth/scopes.ts';
import { safeLine } from '../../text/sanitize.ts';
import { type AccountEntry, accountEntriesSchema, matchesAccountName } from '../../trading/account-entry.ts';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import type { GatewayRequests } from './gateway-requests.ts';

export type AccountRequests = ReturnType<typeof createAccountRequests>;

const [, PORTFOLIO_READ] = READ_SCOPES;

export function createAccountRequests({ read, send }: GatewayRequests) {
  return {
    /** Returns the accounts in configuration order. If a broker can't be reached, its account says why. */
    accounts: async () => (await read('/v1/accounts', accountEntriesSchema, PORTFOLIO_READ)).accounts,
    /** Makes an account the default. @returns all accounts @throws {TradeAgentError} `gateway_refused` */
    chooseAccount: async (account: string) => {
      const sending = { body: { account }, scopes: [PROPOSE_ORDERS_SCOPE] } as const;
      return (await send('PUT', '/v1/accounts/default', accountEntriesSchema, sending)).accounts;
    },
  };
}

/** Adds the account to a proposal that concerns an account but does not name one. */
export function withProposalAccount(account: string | undefined, asked: ProposalRequestInput): ProposalRequestInput {
  if (account === undefined) return asked;
  const proposed = addAccount(account, asked);
  const { provenance } = asked;
  if (proposed === asked || provenance?.fields === undefined) return proposed;
  // The person named the account with a flag, so it counts as their own choice.
  return {
    ...proposed,
    provenance: { ...provenance, fields: { account: { source: 'user' }, ...provenance.fields } },
  };
}

function addAccount(account: string, asked: ProposalRequestInput): ProposalRequestInput {
  switch (asked.kind) {
    case 'order':
      return { ...asked, order: { account, ...asked.order } };
    case 'batch':
      return {
        ...asked,
        batch: { ...asked.batch, orders: asked.batch.orders.map((order) => ({ account, ...order })) },
      };
    case 'cancel':
      return { ...asked, cancel: { account, ...asked.cancel } };
    case 'replace':
      return { ...asked, replace: { account, ...asked.replace } };
    case 'mandate':
      return { ...asked, mandate: { account, ...asked.mandate } };
    case 'policy_change':
      return { ...asked, policy_change: { account, ...asked.policy_change } };
    default:
      return asked;
  }
}

/** Finds an account by number, broker or label. @throws {TradeAgentError} `usage` if none or several match */
export function resolveAccount(name: string, entries: readonly AccountEntry[]): AccountEntry & { account: string } {
  const byNumber = entries.filter(({ account }) => account === name.trim());
  const found = byNumber.length === 1 ? byNumber : entries.filter((entry) => matchesAccountName(entry, name));
  const [entry, another] = found;
  const shown = safeLine(name, 64);
  if (entry === undefined || another !== undefined) {
    throw new TradeAgentError(
      'usage',
      entry === undefined ? `you have no account "${shown}"` : `"${shown}" matches several of your accounts`,
      { hint: `You have: ${entries.map(describeAccount).join('; ')}.`, details: { field: 'account' } },
    );
  }
  if (entry.account !== null) return { ...entry, account: entry.account };
  throw new TradeAgentError('gateway_refused', `the broker of "${shown}" is unavailable`, {
    hint: 'Try again in a moment, or give the account’s number.',
    details: { problem: entry.problem ?? 'broker_unavailable' },
  });
}

function describeAccount({ account, label, broker }: AccountEntry): string {
  return `${account ?? 'number unavailable'} (${safeLine(label, 40)}, "${broker}")`;
}
