import { z } from 'zod';
import { secureAddress } from '../../settings/common-settings.ts';
import { brokerSettings } from '../broker-kind.ts';
import { alpacaPreset } from './alpaca-preset.ts';
import { type McpMapping, mcpMapping } from './mapping.ts';

/** Mappings that are shipped, by name. */
const presets = { alpaca: alpacaPreset } as const;
const presetNames = Object.keys(presets) as [keyof typeof presets];

export const mcpSettings = brokerSettings
  .extend({
    kind: z.literal('mcp'),
    credentials: z.enum(['exchange', 'access_token']).optional(),
    unattended: z.literal('access_token').optional(),
    /** Where the broker's MCP server is (streamable HTTP). */
    url: secureAddress,
    /** What is traded there: no tool tells. */
    environment: z.enum(['paper', 'live']),
    /** A mapping that is shipped; or `mapping`. */
    preset: z.enum(presetNames).optional(),
    mapping: mcpMapping.optional(),
    /** What the tools that send and cancel orders said of themselves when the operator read it. */
    pins: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')).default({}),
  })
  .refine(({ preset, mapping }) => (preset === undefined) !== (mapping === undefined), {
    message: `must have a mapping, or the name of one that is shipped (preset: ${presetNames.join(', ')})`,
    path: ['mapping'],
  });
export type McpSettings = z.output<typeof mcpSettings>;

/** Which tool is what. */
export function mappingOf({ preset, mapping }: Pick<McpSettings, 'preset' | 'mapping'>): McpMapping {
  if (mapping !== undefined) return mapping;
  return mcpMapping.parse(presets[preset ?? 'alpaca']);
}
