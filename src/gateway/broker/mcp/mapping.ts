import { z } from 'zod';
import { orderTypes, orderTypeTable, timesInForce } from '../../../trading/order-types.ts';

/*
 * A mapping describes, as data, which tools of a broker's MCP server serve which requests. A mapping contains no code.
 */

const pointer = z
  .string()
  .max(200)
  .regex(/^(\/([^~/]|~[01])*)*$/, 'must be a JSON pointer (RFC 6901), such as "/data/id"');
const words = z.record(z.string(), z.string());
const literal = z.union([z.string(), z.number(), z.boolean()]);

export const mappingInputs = [
  'account',
  'symbol',
  'symbols',
  'side',
  'type',
  'time_in_force',
  'qty',
  'limit_price',
  'stop_price',
  'client_order_id',
  'order_id',
  'status',
  'limit',
] as const;

const argument = z.union([
  z.strictObject({
    from: z.enum(mappingInputs),
    /** The server's value for each of our values. A value that is missing here is never sent. */
    words: words.optional(),
    /** How the value is sent: as a JSON `number` (if exact), as a `list`, or (default) as a comma-separated string. */
    as: z.enum(['number', 'list']).optional(),
  }),
  z.strictObject({ is: literal }),
]);
export type MappedArgument = z.output<typeof argument>;

const field = z.union([
  pointer,
  z.strictObject({
    at: pointer,
    /** Our value for each of the server's values. A value that is missing here is passed through unchanged. */
    words: words.optional(),
  }),
  /** Reads the row's key, if the rows are members of an object. */
  z.strictObject({ name: z.literal(true) }),
  z.strictObject({ is: z.string() }),
]);
export type MappedField = z.output<typeof field>;
export type MappedFields = Readonly<Record<string, MappedField | undefined>>;

const call = z.strictObject({
  tool: z.string().min(1).max(128),
  arguments: z.record(z.string(), argument).default({}),
  /** Points to the object in the response, or to the rows of a list, which are an array or the members of an object. */
  at: pointer.default(''),
});
export type MappedToolCall = z.output<typeof call>;

const allOf = <N extends string>(...names: readonly N[]) =>
  Object.fromEntries(names.map((name) => [name, field])) as Record<N, typeof field>;
const someOf = <N extends string>(...names: readonly N[]) =>
  Object.fromEntries(names.map((name) => [name, field.optional()])) as Record<N, z.ZodOptional<typeof field>>;

/** The values that a response must contain for trading to be allowed. A missing value counts as wrong. */
const conditions = z.record(pointer, literal);

const orderFields = z.strictObject({
  ...allOf(
    'id',
    'symbol',
    'side',
    'type',
    'time_in_force',
    'qty',
    'limit_price',
    'stop_price',
    'status',
    'filled_qty',
    'submitted_at',
  ),
  ...someOf(
    'account',
    'client_order_id',
    'notional',
    'trail_price',
    'trail_percent',
    'extended_hours',
    'filled_avg_price',
    'filled_at',
    'order_class',
    'asset_class',
    'position_intent',
  ),
});

/** Locates rejections in responses. If a mapping has no `refusals`, an order that is not accepted is `unknown`. */
const refusals = z.strictObject({
  /** Points to a value that only rejections have. */
  at: pointer,
  /** Pointers relative to `at`. `code` is the broker's own error code, which no proxy's error page contains. */
  status: pointer,
  code: pointer,
  message: pointer,
  /** For plain-text failures. `status_after` precedes the status. Only the broker's own responses contain `own`. */
  text: z.strictObject({ status_after: z.string().min(1), own: z.string().min(1) }).optional(),
  reasons: z
    .strictObject({
      insufficient_funds: z.array(z.string().min(1)).default([]),
      duplicate: z.array(z.string().min(1)).default([]),
    })
    .prefault({}),
});
export type RejectionMapping = z.output<typeof refusals>;

/** The order fields that a mapping must send. Otherwise, the broker would choose a value that nobody approved. */
const REQUIRED_ARGUMENTS = ['symbol', 'side', 'type', 'time_in_force', 'qty'] as const;
const isInput = (name: string): name is (typeof mappingInputs)[number] =>
  (mappingInputs as readonly string[]).includes(name);
const sayableTypes = orderTypes.filter((type) => orderTypeTable[type].prices.every(isInput));

export const mcpMappingSchema = z
  .strictObject({
    label: z.string().regex(/^[\x20-\x7e]{1,40}$/, 'must be 1 to 40 printable characters'),
    account: call.extend({
      fields: z.strictObject(
        allOf('account', 'status', 'currency', 'cash', 'equity', 'last_equity', 'buying_power', 'long_market_value'),
      ),
      open_where: conditions,
    }),
    positions: call.extend({
      fields: z.strictObject(
        allOf(
          'symbol',
          'side',
          'qty',
          'qty_available',
          'avg_entry_price',
          'current_price',
          'lastday_price',
          'market_value',
          'cost_basis',
          'unrealized_pl',
          'unrealized_plpc',
          'change_today',
        ),
      ),
    }),
    quotes: call.extend({
      fields: z.strictObject({
        ...allOf('symbol', 'bid', 'ask', 'last', 'previous_close', 'traded_at'),
        ...someOf('quoted_at'),
      }),
    }),
    asset: call.extend({
      fields: z.strictObject(allOf('symbol', 'name', 'exchange')),
      open_where: conditions,
    }),
    order_fields: orderFields,
    /** The format of the broker's order IDs. An ID in any other format is not looked up. */
    order_ids: z.enum(['uuid', 'any']).default('any'),
    legs: pointer.optional(),
    orders: call,
    order: call,
    order_by_client_order_id: call
      .extend({
        /** Whether the tool finds orders in any state. If so, not finding an order proves that it does not exist. */
        for_good: z.boolean().default(false),
      })
      .optional(),
    submit: call,
    cancel: call,
    order_types: z.partialRecord(z.enum(sayableTypes), z.array(z.enum(timesInForce))),
    refusals: refusals.optional(),
  })
  .superRefine(({ submit, order_types, order_by_client_order_id, order_fields }, context) => {
    const said = new Set<string>(Object.values(submit.arguments).flatMap((one) => ('from' in one ? [one.from] : [])));
    const types = sayableTypes.filter((type) => order_types[type] !== undefined);
    for (const needed of new Set([...REQUIRED_ARGUMENTS, ...types.flatMap((type) => orderTypeTable[type].prices)])) {
      if (said.has(needed)) continue;
      context.addIssue({
        code: 'custom',
        path: ['submit', 'arguments'],
        message: `must send the order field "${needed}"`,
      });
    }
    if (order_by_client_order_id === undefined) return;
    if (said.has('client_order_id') && order_fields.client_order_id !== undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['order_by_client_order_id'],
      message: 'requires that submit sends the client_order_id, and that order_fields reads it',
    });
  });
export type McpMapping = z.output<typeof mcpMappingSchema>;

export function orderToolNames({ submit, cancel }: McpMapping): readonly string[] {
  return [...new Set([submit.tool, cancel.tool])];
}
