import { z } from 'zod';
import { closestMatch } from '../../config/closest-match.ts';
import { alpaca } from './alpaca/alpaca.ts';
import type { BrokerKind } from './broker-kind.ts';
import { type BrokerName, brokerNames } from './broker-names.ts';
import { ibkr } from './ibkr/ibkr.ts';
import { snaptrade } from './snaptrade/snaptrade.ts';
import { tradier } from './tradier/tradier.ts';

const brokers = { alpaca, ibkr, snaptrade, tradier } as const satisfies Record<BrokerName, unknown>;

type Settings = (typeof brokers)[keyof typeof brokers]['settings'];

/** What `broker:` of `gateway.yaml` may say. */
export const brokerSettingsSchema = z.discriminatedUnion('kind', settingsOfAll(), {
  error: ({ code, input }) => (code === 'invalid_union' ? unknownKind(input) : undefined),
});
export type BrokerSettings = z.output<typeof brokerSettingsSchema>;
/** As it is written in `gateway.yaml`. */
export type WrittenBroker = z.input<typeof brokerSettingsSchema>;

/** The kind of broker that the settings are of. */
export function brokerOf({ kind }: Pick<BrokerSettings, 'kind'>): BrokerKind<BrokerSettings> {
  return brokers[kind];
}

function settingsOfAll(): [Settings, ...Settings[]] {
  const [first = brokers.alpaca, ...others] = Object.values(brokers);
  return [first.settings, ...others.map(({ settings }) => settings)];
}

function unknownKind(settings: unknown): string {
  const { kind } = settings as { kind?: unknown };
  const nearest = closestMatch(String(kind), brokerNames);
  const meant = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  return `there is no broker ${JSON.stringify(kind)}.${meant} There are: ${brokerNames.join(', ')}`;
}
