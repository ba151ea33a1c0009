import { z } from 'zod';
import { type BrokerSettings, brokerSettingsSchema } from './brokers.ts';
import type { KeyPlace } from './key-pairs.ts';

/**
 * A broker of this gateway, by the name that its settings give it. Each person has one account there at most: who has two at
 * the same house names it twice.
 */
export type NamedBroker = BrokerSettings & { readonly name: string };

/** What the one of `broker:` is called. Its key pairs are kept under this name. */
export const ONLY_BROKER = 'broker';

export const brokerName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a name of lower-case letters, digits and "-", such as "ibkr"');

/** How many brokers one gateway has at most: each is asked where all accounts are looked at. */
const MOST_BROKERS = 16;

/** What a gateway's settings say of its brokers: one, or several by name; the first is the default. */
export const brokersSettings = {
  broker: brokerSettingsSchema.optional(),
  brokers: z
    .record(brokerName, brokerSettingsSchema, {
      error: ({ code }) =>
        code === 'invalid_key'
          ? 'must be a name of lower-case letters, digits and "-", such as "ibkr"'
          : undefined,
    })
    .refine((all) => Object.keys(all).length > 0, 'must name at least one broker')
    .refine((all) => Object.keys(all).length <= MOST_BROKERS, `must name at most ${MOST_BROKERS} brokers`)
    .optional(),
};

/** All of them as one list, in the order in which they stand in the settings. */
export function namedBrokers({
  broker,
  brokers,
}: {
  readonly broker?: BrokerSettings | undefined;
  readonly brokers?: Readonly<Record<string, BrokerSettings>> | undefined;
}): NamedBroker[] {
  if (brokers !== undefined) {
    return Object.entries(brokers).map(([name, settings]) => ({ ...settings, name }));
  }
  return [{ ...(broker ?? brokerSettingsSchema.parse({})), name: ONLY_BROKER }];
}

/** Where the key pairs of one of them are kept. */
export function keyPlaceOf({ name, kind }: NamedBroker, all: readonly NamedBroker[]): KeyPlace {
  const isOnlyOfKind = all.filter((one) => one.kind === kind).length === 1;
  const isTaken = all.some((one) => one.name === ONLY_BROKER);
  return { name, kind, ...(isOnlyOfKind && !isTaken ? { before: ONLY_BROKER } : {}) };
}
