import { z } from 'zod';
import { defined } from './defined.ts';

/**
 * Returns a registry of names for schemas, so that `z.toJSONSchema` writes each schema once and refers to it.
 * Descriptions are kept. It is not zod's global registry, because names in that registry would also appear in the tool
 * parameters that models get.
 */
export function createSchemaRegistry(
  names: ReadonlyMap<z.core.$ZodType, string>,
): z.core.$ZodRegistry<z.core.JSONSchemaMeta> {
  return new (class extends z.core.$ZodRegistry<z.core.JSONSchemaMeta> {
    override get(schema: z.core.$ZodType) {
      return { ...z.globalRegistry.get(schema), ...defined({ id: names.get(schema) }) };
    }
  })();
}
