import { ProtocolError, ProtocolErrorCode, type Resource, ResourceNotFoundError } from '@modelcontextprotocol/server';
import canonicalize from 'canonicalize';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { Scope } from '../../oauth/scopes.ts';
import { safeLine, safeText } from '../../text/sanitize.ts';
import { getKindDefinition } from '../../trading/kinds/kinds.ts';
import { createSuccessResult } from '../answers/answer.ts';
import { withConnectUrl } from '../answers/connect-url.ts';
import { createProposalResult } from '../answers/proposal-answer.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { requireMcpTool } from '../tools/catalog.ts';
import type { ToolCall } from '../tools/mcp-tool.ts';
import { requireOwnProposal } from '../tools/own-proposals.ts';
import { DEFAULT_ACCOUNT, formatResourceUri, parseResourceUri, type ResourceScheme } from './resource-uri.ts';

interface ResourceKind {
  readonly title: string;
  readonly description: string;
  /** The variable of the URI template. */
  readonly variable: 'account' | 'id';
  /** The caller must have all of these scopes. */
  readonly scopes: readonly Scope[];
  /** Returns the resource as JSON text. @throws {TradeAgentError} */
  read(call: ToolCall, name: string): Promise<string>;
}

const MAX_POSITIONS = 500;

const portfolioTool = requireMcpTool('get_portfolio');
const proposalTool = requireMcpTool('check_approval');

/** Resources show what a tool shows, to callers with the tool's scopes. */
const resourceKinds: Readonly<Record<ResourceScheme, ResourceKind>> = {
  portfolio: {
    title: 'Portfolio of an account',
    description: `Cash, equity and up to ${MAX_POSITIONS} positions of an account: its number or name, or "${DEFAULT_ACCOUNT}"`,
    variable: 'account',
    scopes: portfolioTool.scopes,
    read: (call, name) =>
      readByTool(portfolioTool, call, {
        limit: MAX_POSITIONS,
        ...(name === DEFAULT_ACCOUNT ? {} : { account: name }),
      }),
  },
  proposal: {
    title: 'Proposal',
    description: 'State and outcome of a proposal of this client. Subscribe to it to be notified of the decision',
    variable: 'id',
    scopes: proposalTool.scopes,
    read: (call, name) => readByTool(proposalTool, call, { proposal_id: name, wait_seconds: 0 }),
  },
  receipt: {
    title: 'Receipt of an order',
    description: 'Signed proof of the approval of an order that was sent, by its proposal_id. Anyone can verify it',
    variable: 'id',
    scopes: proposalTool.scopes,
    async read({ caller }, name) {
      const { id } = await requireOwnProposal(caller, name);
      // A receipt's file is its RFC 8785 form and a line feed, and it is verified by exactly these bytes.
      return `${canonicalize(await caller.gateway.receipt(id))}\n`;
    },
  },
};

async function readByTool(
  tool: ReturnType<typeof requireMcpTool>,
  call: ToolCall,
  args: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { environment } = call.caller;
  const parsed = tool.schema.safeParse(args);
  if (!parsed.success) throw new TradeAgentError('not_found', 'the URI names no resource');
  const outcome = await tool.run(call, parsed.data);
  const { structuredContent } =
    'proposal' in outcome
      ? createProposalResult(outcome.proposal, environment, false)
      : createSuccessResult(outcome, environment);
  return JSON.stringify(structuredContent);
}

const MIME_TYPE = 'application/json';

function isAllowed({ scopes }: Pick<McpCaller, 'scopes'>, scheme: ResourceScheme): boolean {
  return resourceKinds[scheme].scopes.every((scope) => scopes.has(scope));
}

/** Returns the resource templates that the caller's scopes allow. */
export function listResourceTemplates(caller: Pick<McpCaller, 'scopes'>) {
  return Object.entries(resourceKinds)
    .filter(([scheme]) => isAllowed(caller, scheme as ResourceScheme))
    .map(([scheme, { title, description, variable }]) => ({
      uriTemplate: `${scheme}://{${variable}}`,
      name: scheme,
      title,
      description,
      mimeType: MIME_TYPE,
      // A receipt is a file to keep or share, and long.
      ...(scheme === 'receipt' ? { annotations: { audience: ['user' as const] } } : {}),
    }));
}

const MAX_LISTED = 50;

/**
 * Lists the portfolios of the caller's accounts and its open proposals. Clients list resources when they connect, so a
 * part that can't be read, for example because nobody is signed in, is left out.
 */
export async function listResources(caller: McpCaller): Promise<Resource[]> {
  const listed = await Promise.all([
    isAllowed(caller, 'portfolio') ? listPortfolios(caller).catch(() => []) : [],
    isAllowed(caller, 'proposal') ? listOpenProposals(caller).catch(() => []) : [],
  ]);
  return listed.flatMap((one) => one.slice(0, MAX_LISTED));
}

async function listPortfolios({ gateway }: McpCaller): Promise<Resource[]> {
  const accounts = await gateway.accounts();
  return accounts.flatMap(({ account, label }) =>
    account === null
      ? []
      : [toResource('portfolio', account, `Portfolio of ${safeLine(label, 60)}, ${safeLine(account, 64)}`)],
  );
}

async function listOpenProposals({ gateway, owns }: McpCaller): Promise<Resource[]> {
  const own = (await gateway.proposals({ state: 'open' })).filter(owns);
  return own.map(({ id, kind, subject }) =>
    toResource('proposal', id, safeLine(getKindDefinition(kind).summary(subject), 200)),
  );
}

function toResource(scheme: ResourceScheme, name: string, title: string): Resource {
  const uri = formatResourceUri({ scheme, name });
  return { uri, name: uri, title, mimeType: MIME_TYPE };
}

/**
 * Reads a resource.
 * @throws {ResourceNotFoundError} also if the caller may not read the resource, so that it can't learn whether it exists
 * @throws {ProtocolError} if the resource can't be read now
 */
export async function readResource(call: ToolCall, uri: string) {
  const found = parseResourceUri(uri);
  if (found === undefined || !isAllowed(call.caller, found.scheme)) throw resourceNotFound(uri);
  try {
    const text = await resourceKinds[found.scheme].read(call, found.name);
    // A receipt can't be sanitized, because it is verified by its bytes. If it has hidden characters, it is not shown.
    const content = safeText(text) === text ? { text } : { blob: Buffer.from(text).toString('base64') };
    return { contents: [{ uri, mimeType: MIME_TYPE, ...content }] };
  } catch (error) {
    throw toProtocolError(await withConnectUrl(error, call.caller), uri);
  }
}

function resourceNotFound(uri: string): ResourceNotFoundError {
  return new ResourceNotFoundError(safeLine(uri, 300));
}

/** Converts an error. Omits the message of an unexpected error, which may quote secrets. */
function toProtocolError(error: unknown, uri: string): ProtocolError {
  if (!isTradeAgentError(error)) {
    return new ProtocolError(ProtocolErrorCode.InternalError, 'the resource could not be read; try again');
  }
  const { code, message, hint, details } = error;
  const isUnknown = code === 'not_found' || code === 'insufficient_scope' || details.field === 'account';
  if (isUnknown) return resourceNotFound(uri);
  return new ProtocolError(ProtocolErrorCode.InternalError, hint === undefined ? message : `${message}. ${hint}`, {
    error: code,
  });
}

/** Checks that the caller may subscribe to a resource. @throws {ProtocolError} like `readResource` */
export async function requireSubscribable(caller: McpCaller, uri: string): Promise<void> {
  const id = await findSubscribedProposal(caller, uri).catch((error: unknown) => {
    throw toProtocolError(error, uri);
  });
  if (id === undefined) throw resourceNotFound(uri);
}

/** Returns the caller's own proposal of a `proposal://` URI; undefined for any other URI. */
export async function findSubscribedProposal(caller: McpCaller, uri: string): Promise<string | undefined> {
  const found = parseResourceUri(uri);
  if (found?.scheme !== 'proposal' || !isAllowed(caller, 'proposal')) return undefined;
  try {
    return (await requireOwnProposal(caller, found.name)).id;
  } catch (error) {
    if (isTradeAgentError(error) && error.code === 'not_found') return undefined;
    throw error;
  }
}
