import { TradeAgentError } from '../../errors/errors.ts';
import type { OrderTool } from './acting-tool.ts';
import { type BrokerSettings, findBrokerKind, resolveBrokerTraits } from './brokers.ts';
import {
  type CredentialKind,
  getCredentialTexts,
  isCredentialKind,
  type StoredCredentials,
  storedCredentialsSchemaFor,
} from './stored-kinds.ts';
import type { VerifiedAccount, VerifyCredentialsOptions } from './verify-problems.ts';

const TIMEOUT_MS = 10_000;

/** @throws {TradeAgentError} `usage` if the broker's accounts are accessible only by token exchange */
export function requireCredentialKind(settings: BrokerSettings): CredentialKind {
  const { kinds } = keptOf(settings);
  const { credentials, unattended } = settings;
  return isCredentialKind(credentials) ? credentials : (unattended ?? kinds[0]);
}

/**
 * Asks the broker for the account that the credentials give access to, using only reads. No error contains any part of
 * the credentials.
 * @throws {TradeAgentError} `usage` for credentials of another kind, `broker_rejected` with `details.reason`
 * `wrong_pair` or `no_account`, `broker_unreachable`
 */
export async function verifyCredentials(
  settings: BrokerSettings,
  credentials: StoredCredentials,
  { environment, fetch, timeoutMs = TIMEOUT_MS }: VerifyCredentialsOptions,
): Promise<VerifiedAccount> {
  const { verify } = keptOf(settings);
  const kind = requireCredentialKind(settings);
  const given = storedCredentialsSchemaFor(kind).safeParse(credentials);
  if (!given.success) {
    const { fields, noun } = getCredentialTexts(kind);
    if (Object.keys(credentials).sort().join() !== Object.keys(fields).sort().join()) {
      throw new TradeAgentError('usage', `these credentials are for a different broker: expected ${noun}`, {
        hint: 'Enter the credentials on the home’s own machine: "trade-agent home broker set".',
      });
    }
    const [issue] = given.error.issues;
    const label = fields[String(issue?.path[0])]?.label.toLowerCase() ?? noun;
    throw new TradeAgentError('usage', `the ${label} ${issue?.message}`, {
      hint: `Copy each value from ${resolveBrokerTraits(settings).label} exactly as shown there.`,
    });
  }
  return await verify(settings, given.data, { environment, fetch, timeoutMs });
}

type InspectTools = (
  credentials: StoredCredentials,
  options: VerifyCredentialsOptions,
) => Promise<readonly OrderTool[]>;

/**
 * Returns the function that reads the broker's tools that place or cancel orders, without calling these tools.
 * @throws {TradeAgentError} `usage` if the broker has no such tools
 */
export function requireToolInspector(settings: BrokerSettings): InspectTools {
  const { tools } = keptOf(settings);
  if (tools === undefined) {
    throw new TradeAgentError('usage', `${resolveBrokerTraits(settings).label} does not use tools of an MCP server`, {
      hint: 'Only brokers with "kind: mcp" in gateway.yaml have tools to confirm.',
    });
  }
  return async (credentials, { environment, fetch, timeoutMs = TIMEOUT_MS }) =>
    await tools(settings, credentials, { environment, fetch, timeoutMs });
}

function keptOf(settings: BrokerSettings) {
  const { storedCredentials: kept } = findBrokerKind(settings);
  if (kept !== undefined) return kept;
  throw new TradeAgentError(
    'usage',
    `${resolveBrokerTraits(settings).label} accounts can only be opened by token exchange`,
    {
      hint: 'Set "broker.credentials: exchange" in gateway.yaml.',
    },
  );
}
