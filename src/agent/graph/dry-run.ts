import { type BaseMessage, ToolMessage } from '@langchain/core/messages';
import { isTradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { toErrorCode } from '../../tools/gateway/gateway-problem.ts';
import type { Tool } from '../../tools/tool.ts';
import { fieldsChosenByAi } from '../../trading/kinds/chosen-by-ai.ts';
import { kindPayload, kinds, type RequestInputOf } from '../../trading/kinds/kinds.ts';
import { describeCoveredOrders } from '../../trading/mandate/mandate-words.ts';
import { describeMessage } from '../../trading/message.ts';
import { openOrderHeadline, orderHeadline } from '../../trading/order-words.ts';
import type { DecisionView } from '../../trading/policy-views.ts';
import { mandateReference, type ProposalRequestInput } from '../../trading/proposal.ts';
import { protectsPosition } from '../../trading/protects.ts';
import { defined } from '../../values/defined.ts';
import type { CallDraft, ErrorFacts } from '../events.ts';
import type { ToolCall } from './agent-state.ts';
import { describeCall } from './call-description.ts';
import { toErrorFacts } from './error-facts.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { neutralizeJsonMarkers } from './inert-text.ts';

/*
 * A dry run drafts the proposals and changes that its calls would make. It only reads: its client can't propose, its
 * session requests only read scopes, and its threads are in memory.
 */

/** The field of a tool message that contains the draft of its call. */
const DRAFT_KEY = 'draft';

/** Error codes of requests that the gateway refuses. Other errors mean that it could not evaluate the request. */
const refusalCodes = new Set(['blocked', 'insufficient_funds', 'market_closed', 'price_moved']);

type Assessment = Omit<CallDraft, 'tool' | 'kind' | 'text'>;

const unassessed: Assessment = { worst_case: null, warnings: [], shows: {}, approval: 'owner', checked: false };

/** Returns the proposal that a request would make, and whether the gateway's rules would allow it now. Only reads. */
export async function draftRequest(
  { profile }: Pick<GraphEnvironment, 'profile'>,
  gateway: GatewayClient,
  tool: string,
  request: ProposalRequestInput,
): Promise<CallDraft> {
  const { text, ...assessed } = await assessRequest(gateway, request, profile.account_of !== undefined);
  const chosen = fieldsChosenByAi(request.provenance);
  const named = { [request.kind]: kindPayload(request) };
  return {
    tool,
    kind: request.kind,
    text,
    ...assessed,
    ...defined({ chosen_by_ai: chosen.length === 0 ? undefined : chosen, approver: profile.account_of }),
    ...named,
  };
}

/**
 * Checks a request against the rules.
 * @param isForeign whether the account is another person's, whose rules are evaluated only when a proposal is made
 */
async function assessRequest(
  gateway: GatewayClient,
  request: ProposalRequestInput,
  isForeign: boolean,
): Promise<Assessment & Pick<CallDraft, 'text'>> {
  const orders = (asked: readonly RequestInputOf<'order'>[]) =>
    asked.map((order) => orderHeadline(kinds.order.requestSchema.parse(order)));
  switch (request.kind) {
    case 'order': {
      const [text = ''] = orders([request.order]);
      if (isForeign) return { text, ...unassessed };
      const assessed = await assessOrder(gateway, request.order, request.provenance);
      return { text, ...assessed, approval: mandateReference(request) === undefined ? assessed.approval : 'mandate' };
    }
    case 'batch': {
      const text = orders(request.batch.orders).join('; ');
      return { text, ...(isForeign ? unassessed : await assessBatch(gateway, request)) };
    }
    case 'cancel':
    case 'replace':
      return assessChange(gateway, request);
    case 'message':
      return { text: `SEND ${describeMessage(request.message)}`, ...unassessed, shows: messageShows(request.message) };
    case 'mandate':
      return { text: describeCoveredOrders(kinds.mandate.requestSchema.parse(request.mandate)), ...unassessed };
    default:
      throw new TypeError(`the agent never proposes the kind "${request.kind}"`);
  }
}

async function assessChange(
  gateway: GatewayClient,
  request: Extract<ProposalRequestInput, { kind: 'cancel' | 'replace' }>,
): Promise<Assessment & Pick<CallDraft, 'text'>> {
  const { account, order_id, ...changes }: RequestInputOf<'replace'> =
    request.kind === 'cancel' ? request.cancel : request.replace;
  const at = account === undefined ? gateway : gateway.inAccount(account);
  const [order, positions] = await Promise.all([at.order(order_id), at.positions()]);
  const named = openOrderHeadline(order);
  if (request.kind === 'cancel') {
    const needsOwner = protectsPosition(order, positions) || (request.provenance?.tainted_by ?? []).length > 0;
    return { text: `CANCEL ${named}`, ...unassessed, approval: needsOwner ? 'owner' : 'none' };
  }
  const changed = Object.entries(changes).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`);
  return { text: `CHANGE ${named}: ${changed.join(', ')}`, ...unassessed };
}

function messageShows({ subject, text }: RequestInputOf<'message'>): Record<string, string> {
  return defined({ Subject: subject, Text: text });
}

async function assessOrder(
  gateway: GatewayClient,
  order: RequestInputOf<'order'>,
  provenance: ProposalRequestInput['provenance'],
): Promise<Assessment> {
  try {
    return toAssessment(await gateway.checkPolicy(order, provenance));
  } catch (error) {
    if (!isTradeAgentError(error) || !refusalCodes.has(error.code)) throw error;
    return { ...unassessed, checked: true, refused: toErrorFacts(error) };
  }
}

/** Assesses each order of a batch separately. The gateway checks the orders' total only when they are proposed. */
async function assessBatch(
  gateway: GatewayClient,
  { batch, provenance }: Extract<ProposalRequestInput, { kind: 'batch' }>,
): Promise<Assessment> {
  const all: Assessment[] = [];
  for (const order of batch.orders) all.push(await assessOrder(gateway, order, provenance));
  const refused = all.find((one) => one.refused !== undefined)?.refused;
  const { account, environment } = all[0] ?? {};
  return {
    ...defined({ account, environment, refused, code_entry: all.find((one) => one.code_entry)?.code_entry }),
    worst_case: null,
    warnings: all.flatMap(({ warnings }) => warnings),
    shows: {},
    approval: all.find(({ approval }) => approval === 'owner_and_second')?.approval ?? 'owner',
    checked: true,
  };
}

function toAssessment(decision: DecisionView): Assessment {
  const { effect, reasons, account, environment, worst_case, warnings, shows } = decision;
  const refused = effect === 'deny' ? refusalFacts(decision) : undefined;
  return {
    account,
    environment,
    worst_case,
    warnings,
    shows,
    approval: reasons.includes('APPROVAL_NEEDS_SECOND') ? 'owner_and_second' : 'owner',
    checked: true,
    ...defined({ code_entry: reasons.includes('APPROVAL_NEEDS_CODE') ? ('typed' as const) : undefined, refused }),
  };
}

function refusalFacts({ texts, reasons, hint, limit, value, policy, problem }: DecisionView): ErrorFacts {
  const [message = 'the rules forbid it'] = texts;
  return {
    code: toErrorCode(problem ?? 'policy_denied'),
    message: safeLine(message),
    reason: reasons[0],
    reasons,
    policy,
    ...defined({ hint: hint === undefined ? undefined : safeLine(hint), limit, value, problem }),
  };
}

/** Returns the change, such as a new alert, that a call would make without needing approval. */
export function draftChange(tool: Tool, call: ToolCall): CallDraft {
  const text = safeLine(`${tool.title}: ${describeCall(call).slice(call.name.length).trim()}`);
  return { tool: tool.name, text, ...unassessed, approval: 'none', checked: true };
}

export function draftSummary({ text, refused }: CallDraft): string {
  return `dry run, not done: ${text}${refused === undefined ? '' : `, which would be refused: ${refused.message}`}`;
}

/** Returns the tool message that shows the model a draft as the result of a call. */
export function createDraftMessage(call: ToolCall, draft: CallDraft): ToolMessage {
  const { text, worst_case, warnings, approval, refused } = draft;
  const would = { text, ...(worst_case === null ? {} : { worst_case }), warnings, approval, ...defined({ refused }) };
  const note = 'This is a dry run: nothing was proposed or changed.';
  return new ToolMessage({
    tool_call_id: call.id,
    name: call.name,
    content: neutralizeJsonMarkers(JSON.stringify({ dry_run: true, would, note })),
    additional_kwargs: { [DRAFT_KEY]: draft },
  });
}

/** Returns the draft in a tool message, or undefined if its call was executed. */
export function findDraft(message: BaseMessage): CallDraft | undefined {
  return ToolMessage.isInstance(message) ? (message.additional_kwargs[DRAFT_KEY] as CallDraft | undefined) : undefined;
}
