import { z } from 'zod';
import { accountLimitsSchema, limitsSchema } from '../../gateway/policy/rules.ts';
import { limitLabel } from '../../trading/limit-words.ts';

/** Returns the JSON Schema of `limits.yaml`, for editors: `# yaml-language-server: $schema=…/limits.schema.json`. */
export function buildLimitsJsonSchema() {
  const account = z.toJSONSchema(accountLimitsSchema, options);
  const properties = Object.fromEntries(
    Object.entries(account.properties ?? {}).map(([key, schema]) => [
      key,
      { description: limitLabel(key), ...(schema as object) },
    ]),
  );
  const whole = z.toJSONSchema(limitsSchema, options);
  const accounts = {
    ...(whole.properties?.accounts as object),
    additionalProperties: { ...account, properties },
  };
  return {
    $id: 'limits.schema.json',
    title: 'Limits of a trade-agent gateway',
    ...whole,
    properties: { ...whole.properties, accounts },
  };
}

const options: Parameters<typeof z.toJSONSchema>[1] = {
  io: 'input',
  unrepresentable: 'any',
  // An amount's schema accepts any text first, for a better error message, and then checks its pattern.
  override: ({ zodSchema, jsonSchema }) => {
    const out = zodSchema instanceof z.ZodPipe ? zodSchema.def.out : undefined;
    if (out instanceof z.ZodString) Object.assign(jsonSchema, withoutDialect(z.toJSONSchema(out)));
  },
};

function withoutDialect({ $schema: _, ...schema }: Record<string, unknown>): object {
  return schema;
}
