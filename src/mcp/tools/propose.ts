import type { z } from 'zod';
import { printableAscii } from '../../text/invisible.ts';
import {
  idempotencyKeySchema,
  MCP_CLIENT_PREFIX,
  type Proposal,
  type ProposalRequestInput,
  type Provenance,
} from '../../trading/proposal.ts';
import type { ProposedResult, ToolCall } from './mcp-tool.ts';
import { clientIdempotencyKey, deriveIdempotencyKeys, RETRY_WINDOW_MS } from './retries.ts';

const idempotencyKey = idempotencyKeySchema
  .optional()
  .describe(
    'The same key and arguments always refer to the same proposal, however often they are sent. Use a new key for each order.',
  );

type WithoutBase<Request> = Request extends unknown ? Omit<Request, 'requested_by' | 'provenance' | 'ttl'> : never;

/**
 * Submits a proposal for a third-party client. No field counts as the person's own words, and the phone says so.
 * @param fields the proposal's fields as the client sent them
 */
export async function submitProposal(
  call: ToolCall,
  request: WithoutBase<ProposalRequestInput>,
  fields: Readonly<Record<string, unknown>>,
  key?: string,
): Promise<ProposedResult> {
  const name = printableAscii(call.clientName, 60) || 'unnamed';
  const { gateway } = call.caller;
  const asked = key === undefined ? await findRetriedProposal(call) : undefined;
  if (asked !== undefined) return { proposal: asked, isAsked: true };
  const proposal = await gateway.propose(
    {
      ...request,
      requested_by: `mcp ${name}`,
      provenance: externalProvenance(fields, `${MCP_CLIENT_PREFIX}${name}`),
    } as ProposalRequestInput,
    key === undefined ? deriveIdempotencyKeys(call.identity, call.clock.now())[0] : clientIdempotencyKey(key),
  );
  return { proposal, isAsked: true };
}

/** Returns the proposal that an identical call created within the last minute, through any gateway. */
async function findRetriedProposal({ caller, clock, identity }: ToolCall): Promise<Proposal | undefined> {
  const now = clock.now();
  const [inThis, inLast] = await Promise.all(deriveIdempotencyKeys(identity, now).map(caller.gateway.proposed));
  if (inThis !== undefined || inLast === undefined) return inThis;
  return now - Date.parse(inLast.created_at) < RETRY_WINDOW_MS ? inLast : undefined;
}

function externalProvenance(fields: Readonly<Record<string, unknown>>, from: string): Provenance {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { fields: Object.fromEntries(given.map(([name]) => [name, { source: 'other', from }])) };
}

export const withIdempotencyKey = <Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) =>
  schema.extend({ idempotency_key: idempotencyKey });
