import { z } from 'zod';
import { secureUrlSchema } from '../../settings/common-settings.ts';
import { commonBrokerSettingsSchema } from '../broker-kind.ts';
import { alpacaPreset } from './alpaca-preset.ts';
import { type McpMapping, mcpMappingSchema } from './mapping.ts';

const presets = { alpaca: alpacaPreset } as const;
const presetNames = Object.keys(presets) as [keyof typeof presets];

export const mcpSettingsSchema = commonBrokerSettingsSchema
  .extend({
    kind: z.literal('mcp'),
    credentials: z.enum(['exchange', 'access_token']).optional(),
    unattended: z.literal('access_token').optional(),
    url: secureUrlSchema,
    /** The server's environment. It must be in the settings, because no tool reports it. */
    environment: z.enum(['paper', 'live']),
    /** Name of an included mapping, used instead of `mapping`. */
    preset: z.enum(presetNames).optional(),
    mapping: mcpMappingSchema.optional(),
    /** SHA-256 of each tool description that the operator has confirmed, by the tool's name. */
    pins: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')).default({}),
  })
  .refine(({ preset, mapping }) => (preset === undefined) !== (mapping === undefined), {
    message: `must be set, unless "preset" names an included mapping (${presetNames.join(', ')}); not both`,
    path: ['mapping'],
  });
export type McpSettings = z.output<typeof mcpSettingsSchema>;

export function resolveMcpMapping({ preset, mapping }: Pick<McpSettings, 'preset' | 'mapping'>): McpMapping {
  if (mapping !== undefined) return mapping;
  return mcpMappingSchema.parse(presets[preset ?? 'alpaca']);
}
