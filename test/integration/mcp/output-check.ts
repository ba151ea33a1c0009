import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { z } from 'zod';
import { resultSchema } from '../../../src/mcp/outputs/output-schema.ts';
import { listToolsForCaller } from '../../../src/mcp/tools/catalog.ts';
import { SESSION_SCOPES } from '../../../src/oauth/scopes.ts';
import { factsOf } from './mcp-world.ts';

const ownRules = { findings: async () => ({}) as never, targets: async () => undefined };

/** Every tool there is, also those that only stdio has. */
export const everyTool = listToolsForCaller({ scopes: new Set(SESSION_SCOPES), ownRules }, false);

/** Whether the client gets the schema, and the answer has just the fields of the tool's own schema, at any depth. */
export function expectOutput(
  name: string,
  result: unknown,
  listed: readonly { name: string; outputSchema?: object | undefined }[],
) {
  const facts = factsOf(result);
  const tool = everyTool.find((one) => one.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  expect(facts.status, `${name}: ${facts.message}`).not.toBe('error');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  // No field may be missing in the schema: objects are closed here.
  const whole = z.toJSONSchema(resultSchema(tool.output), { io: 'output', unrepresentable: 'any' });
  ajv.validate(whole, facts);
  expect(ajv.errors, name).toBeNull();
  const shown = listed.find((one) => one.name === name)?.outputSchema as { properties: object; required: string[] };
  expect(Object.keys(shown.properties), name).toEqual(Object.keys(tool.output.shape));
  ajv.validate(shown, facts);
  expect(ajv.errors, name).toBeNull();
}
