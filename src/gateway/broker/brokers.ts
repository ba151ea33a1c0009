import { z } from 'zod';
import { findClosestMatch } from '../../text/closest-match.ts';
import { alpacaBrokerKind } from './alpaca/alpaca.ts';
import type { BrokerKind } from './broker-kind.ts';
import type { BrokerTraits } from './broker-traits.ts';
import { ibkrBrokerKind } from './ibkr/ibkr.ts';
import { mcpBrokerKind } from './mcp/mcp.ts';
import { snaptradeBrokerKind } from './snaptrade/snaptrade.ts';
import { tradierBrokerKind } from './tradier/tradier.ts';

/** The kinds of broker, by their `kind` in `gateway.yaml`. */
const brokers = {
  alpaca: alpacaBrokerKind,
  ibkr: ibkrBrokerKind,
  mcp: mcpBrokerKind,
  snaptrade: snaptradeBrokerKind,
  tradier: tradierBrokerKind,
} as const;
export const brokerKinds = Object.keys(brokers) as (keyof typeof brokers)[];

type Settings = (typeof brokers)[keyof typeof brokers]['settings'];

export const brokerSettingsSchema = z.discriminatedUnion('kind', settingsOfAll(), {
  error: ({ code, input }) => (code === 'invalid_union' ? unknownKind(input) : undefined),
});
export type BrokerSettings = z.output<typeof brokerSettingsSchema>;
export type BrokerSettingsInput = z.input<typeof brokerSettingsSchema>;

export function findBrokerKind({ kind }: Pick<BrokerSettings, 'kind'>): BrokerKind<BrokerSettings> {
  return brokers[kind];
}

export function resolveBrokerTraits(settings: BrokerSettings): BrokerTraits {
  const { traits } = findBrokerKind(settings);
  return 'of' in traits ? traits.of(settings) : traits;
}

function settingsOfAll(): [Settings, ...Settings[]] {
  const [first = brokers.alpaca, ...others] = Object.values(brokers);
  return [first.settings, ...others.map(({ settings }) => settings)];
}

function unknownKind(settings: unknown): string {
  const { kind } = settings as { kind?: unknown };
  const nearest = findClosestMatch(String(kind), brokerKinds);
  const meant = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  return `unknown broker ${JSON.stringify(kind)}.${meant} Available brokers: ${brokerKinds.join(', ')}`;
}
