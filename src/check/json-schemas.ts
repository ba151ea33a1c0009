import { z } from 'zod';
import { checkResultSchema } from './result-schema.ts';
import { rulesFileSchema } from './rules-schema.ts';

/** Returns the JSON Schema that editors use (`# yaml-language-server: $schema=…/check-rules.schema.json`). */
export function rulesJsonSchema() {
  return {
    $id: 'check-rules.schema.json',
    title: 'Rules of trade-agent check',
    ...z.toJSONSchema(rulesFileSchema, { io: 'input', unrepresentable: 'any' }),
  };
}

export function resultJsonSchema() {
  return {
    ...z.toJSONSchema(checkResultSchema, { io: 'output', unrepresentable: 'any' }),
    title: 'trade-agent.check/1',
  };
}
