import { z } from 'zod';
import { secureAddress } from '../../settings/common-settings.ts';
import { brokerSettings } from '../broker-kind.ts';
import { alpacaPreset } from './alpaca-preset.ts';
import { type McpMapping, mcpMapping } from './mapping.ts';

const presets = { alpaca: alpacaPreset } as const;
const presetNames = Object.keys(presets) as [keyof typeof presets];

export const mcpSettings = brokerSettings
  .extend({
    kind: z.literal('mcp'),
    credentials: z.enum(['exchange', 'access_token']).optional(),
    unattended: z.literal('access_token').optional(),
    url: secureAddress,
    /** Paper or live. Set here because no tool reports it. */
    environment: z.enum(['paper', 'live']),
    /** Name of an included mapping, used instead of `mapping`. */
    preset: z.enum(presetNames).optional(),
    mapping: mcpMapping.optional(),
    /** SHA-256 of each description that the operator has confirmed, by tool. */
    pins: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')).default({}),
  })
  .refine(({ preset, mapping }) => (preset === undefined) !== (mapping === undefined), {
    message: `must have a mapping, or the name of an included one (preset: ${presetNames.join(', ')})`,
    path: ['mapping'],
  });
export type McpSettings = z.output<typeof mcpSettings>;

export function mappingOf({ preset, mapping }: Pick<McpSettings, 'preset' | 'mapping'>): McpMapping {
  if (mapping !== undefined) return mapping;
  return mcpMapping.parse(presets[preset ?? 'alpaca']);
}
