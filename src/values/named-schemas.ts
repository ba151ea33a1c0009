import { z } from 'zod';
import { defined } from './defined.ts';

/**
 * Names for schemas that `z.toJSONSchema` writes once and refers to, beside the descriptions that they have anyway.
 * For these documents alone: a name in the global registry would also be in the parameters that models are given.
 */
export function namedSchemas(
  names: ReadonlyMap<z.core.$ZodType, string>,
): z.core.$ZodRegistry<z.core.JSONSchemaMeta> {
  return new (class extends z.core.$ZodRegistry<z.core.JSONSchemaMeta> {
    override get(schema: z.core.$ZodType) {
      return { ...z.globalRegistry.get(schema), ...defined({ id: names.get(schema) }) };
    }
  })();
}
