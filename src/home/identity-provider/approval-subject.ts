import { z } from 'zod';
import {
  isProposalDetails,
  type ProposalDetails,
  parseProposalDetails,
  proposalDetailsSchema,
} from '../../approval/details.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { isWellFormed } from '../../net/well-formed-json.ts';
import { MESSAGE_SCOPE, ORDER_SCOPE } from '../../oauth/scopes.ts';
import {
  buildTradeOrderDetails,
  differingFields,
  orderBindingText,
  TRADE_ORDER_DETAILS_TYPE,
  type TradeOrderDetails,
  tradeOrderDetailsSchema,
} from '../../trading/approval-details.ts';
import { getKindDefinition, kinds } from '../../trading/kinds/kinds.ts';
import { type MessageDraft, messageDraftSchema } from '../../trading/message.ts';
import {
  type ApprovalDetails,
  buildMessageSendDetails,
  MESSAGE_SEND_DETAILS_TYPE,
  type MessageSendDetails,
  messageBindingText,
  messageSendDetailsSchema,
} from '../../trading/message-details.ts';
import { type OrderDraft, orderDraftSchema } from '../../trading/order.ts';
import { parseJson } from '../../values/parse-json.ts';

interface ApprovalSubject {
  readonly details: ApprovalDetails | ProposalDetails;
  /** The only gateway scope of the token that results from an approval. */
  readonly scope: string;
  /** Whether the subject is a proposal, which only the gateway may send. */
  readonly isProposal: boolean;
  /**
   * The required binding message. For a proposal, any text that ends with its code. For an order or message that a
   * client requests directly, exactly its description.
   */
  readonly bindingMessage: { readonly is: string } | { readonly endsIn: string };
}

/** Maximum lifetime of an approval request, in seconds. */
export const MAX_REQUEST_LIFETIME_S = { proposal: 24 * 3600, other: 3600 } as const;

interface ApprovalTarget {
  /** The gateway's address, which direct requests refer to. */
  readonly resource: string;
  /** The gateway's identifier, which proposals refer to. Defaults to `resource`. */
  readonly gatewayIdentifier?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Parses the `authorization_details` of a CIBA request: one proposal, one order, or one message.
 * @throws {UnacceptableDetailsError}
 */
export function parseApprovalSubject(text: unknown, target: ApprovalTarget): ApprovalSubject {
  const found = parseSingleObject(text);
  const { resource: gateway, now } = target;
  if (isProposalDetails(found)) return readProposal(found, target);
  if (found.type === MESSAGE_SEND_DETAILS_TYPE) {
    const sending = (details: MessageSendDetails) =>
      buildMessageSendDetails(toMessageDraft(details), { gateway, type: MESSAGE_SEND_DETAILS_TYPE });
    const details = readChecked(found, 'message', messageSendDetailsSchema, sending, now);
    const message = messageBindingText(toMessageDraft(details));
    return { details, scope: MESSAGE_SCOPE, isProposal: false, bindingMessage: { is: message } };
  }
  if (found.type !== TRADE_ORDER_DETAILS_TYPE)
    throw new UnacceptableDetailsError(`the type must be ${TRADE_ORDER_DETAILS_TYPE}`);
  const ordering = (details: TradeOrderDetails) => buildTradeOrderDetails(toOrderDraft(details), { gateway });
  const details = readChecked(found, 'order', tradeOrderDetailsSchema, ordering, now);
  const message = orderBindingText(toOrderDraft(details));
  return { details, scope: ORDER_SCOPE, isProposal: false, bindingMessage: { is: message } };
}

function readProposal(found: object, { resource, gatewayIdentifier, now }: ApprovalTarget): ApprovalSubject {
  const gateway = gatewayIdentifier ?? resource;
  const details = rethrowUnacceptable(() => parseProposalDetails(found, { gateway, now }));
  const { detailsType, scope, subjectSchema, check } = getKindDefinition(details.kind);
  if (details.type !== detailsType) throw new UnacceptableDetailsError(`the type must be ${detailsType}`);
  // Rejects incomplete subjects and subjects with invisible characters before the phone displays them.
  rethrowUnacceptable(() => check(subjectSchema.parse(details.subject)));
  return { details, scope, isProposal: true, bindingMessage: { endsIn: ` ${details.code}` } };
}

function rethrowUnacceptable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof z.ZodError) {
      throw new UnacceptableDetailsError(`incomplete subject: ${invalidFields(error)}`);
    }
    if (error instanceof TypeError || isTradeAgentError(error)) throw new UnacceptableDetailsError(error.message);
    throw error;
  }
}

export function approvalScope(type: string): string {
  return Object.values(kinds).find(({ detailsType }) => detailsType === type)?.scope ?? ORDER_SCOPE;
}

function toMessageDraft(details: MessageSendDetails): MessageDraft {
  const { type: _, locations: __, actions: ___, identifier: ____, digest: _____, code: ______, ...draft } = details;
  return messageDraftSchema.parse(draft);
}

/** Schemas of details that clients other than the gateway may send, by type. The provider adds the code. */
const directDetailsSchemas: Readonly<Record<string, () => z.ZodObject>> = {
  [TRADE_ORDER_DETAILS_TYPE]: () => tradeOrderDetailsSchema.unwrap().omit({ code: true }),
  [MESSAGE_SEND_DETAILS_TYPE]: () => messageSendDetailsSchema.unwrap().omit({ code: true }),
};

let published: Readonly<Record<string, { readonly schema: object }>> | undefined;

/** Returns the JSON Schema of each type of details. The schemas are built once, because anyone can request them. */
export function publishedDetailsTypes() {
  published ??= Object.fromEntries(
    Object.values(kinds).map(({ name, detailsType, subjectSchema }) => {
      const type = z.literal(detailsType);
      const proposal = proposalDetailsSchema
        .unwrap()
        .extend({ type, kind: z.literal(name), subject: subjectSchema })
        .describe('a proposal, which only the gateway may send');
      const direct = directDetailsSchemas[detailsType]?.().extend({ type });
      const schema = direct === undefined ? proposal : z.union([direct, proposal]);
      return [detailsType, { schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) }];
    }),
  );
  return published;
}

export class UnacceptableDetailsError extends Error {
  override name = 'UnacceptableDetailsError';
}

/**
 * Parses the single order or message of a CIBA request (RFC 9396 §2). Checks every field and recomputes the digest, so
 * that the phone displays exactly the data that determined the digest and the code in the terminal.
 * @throws {UnacceptableDetailsError}
 */
function readChecked<T extends { readonly expires_at: string }>(
  detail: Record<string, unknown>,
  what: 'order' | 'message',
  schema: z.ZodType<T>,
  recompute: (parsed: T) => object,
  now: number,
): T {
  const parsed = schema.safeParse(detail);
  if (!parsed.success) {
    throw new UnacceptableDetailsError(`incomplete ${what}: ${invalidFields(parsed.error)}`);
  }
  const expected: Record<string, unknown> = { ...rethrowUnacceptable(() => recompute(parsed.data)) };
  const differing = differingFields(detail, expected);
  if (differing.length > 0) {
    throw new UnacceptableDetailsError(`these fields do not match the ${what} or the gateway: ${differing.join(', ')}`);
  }
  if (Date.parse(parsed.data.expires_at) <= now) throw new UnacceptableDetailsError('expires_at has passed');
  return parsed.data;
}

function invalidFields({ issues }: z.ZodError): string {
  const fields = issues.map(({ path, code, ...issue }) =>
    code === 'unrecognized_keys' && 'keys' in issue ? String(issue.keys) : path.join('.'),
  );
  return [...new Set(fields)].join(', ');
}

export function toOrderDraft(details: TradeOrderDetails): OrderDraft {
  const {
    type: _,
    order_type,
    locations: __,
    actions: ___,
    identifier: ____,
    digest: _____,
    code: ______,
    ...rest
  } = details;
  return orderDraftSchema.parse({ ...rest, type: order_type });
}

function parseSingleObject(text: unknown): Record<string, unknown> {
  const value = parseJson(text);
  if (!Array.isArray(value) || value.length !== 1 || typeof value[0] !== 'object' || value[0] === null) {
    throw new UnacceptableDetailsError('authorization_details must contain exactly one object');
  }
  if (!isWellFormed(value)) {
    throw new UnacceptableDetailsError('authorization_details contains an unpaired surrogate');
  }
  return value[0];
}
