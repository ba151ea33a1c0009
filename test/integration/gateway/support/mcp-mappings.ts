import type { z } from 'zod';
import type { mcpMappingSchema } from '../../../../src/gateway/broker/mcp/mapping.ts';

type Mapping = z.input<typeof mcpMappingSchema>;

/** As it would be for a server whose tools neither take a client_order_id nor tell one: most of them. */
export function withoutOurId(mapping: Mapping): Mapping {
  const { order_by_client_order_id, order_fields, submit, ...others } = mapping;
  const { client_order_id: _, ...fields } = order_fields;
  const { client_order_id: __, ...args } = submit.arguments ?? {};
  return { ...others, order_fields: fields, submit: { ...submit, arguments: args } };
}
