import { z } from 'zod';
import { type BrokerSettings, brokerSettingsSchema } from './brokers.ts';
import type { BrokerCredentialLocation } from './key-pairs.ts';

/** A broker's settings and name. A person with two accounts at a broker needs two entries for that broker. */
export type NamedBroker = BrokerSettings & { readonly name: string };

/** The name of the broker that `broker:` configures. Its key pairs are stored under this name. */
export const SINGLE_BROKER_NAME = 'broker';

export const brokerNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must contain only lowercase letters, digits and "-", such as "ibkr"');

/** Maximum number of brokers. Listing a person's accounts sends a request to each. */
const MAX_BROKERS = 16;

/** `broker` configures one broker. `brokers` configures several brokers by name. The first is the default. */
export const brokerListSettingsShape = {
  broker: brokerSettingsSchema.optional(),
  brokers: z
    .record(brokerNameSchema, brokerSettingsSchema, {
      error: ({ code }) =>
        code === 'invalid_key' ? 'must contain only lowercase letters, digits and "-", such as "ibkr"' : undefined,
    })
    .refine((all) => Object.keys(all).length > 0, 'must name at least one broker')
    .refine((all) => Object.keys(all).length <= MAX_BROKERS, `must name at most ${MAX_BROKERS} brokers`)
    .optional(),
};

export function toNamedBrokers({
  broker,
  brokers,
}: {
  readonly broker?: BrokerSettings | undefined;
  readonly brokers?: Readonly<Record<string, BrokerSettings>> | undefined;
}): NamedBroker[] {
  if (brokers !== undefined) {
    return Object.entries(brokers).map(([name, settings]) => ({ ...settings, name }));
  }
  return [{ ...(broker ?? brokerSettingsSchema.parse({})), name: SINGLE_BROKER_NAME }];
}

export function toBrokerCredentialLocation(
  { name, kind }: NamedBroker,
  all: readonly NamedBroker[],
): BrokerCredentialLocation {
  const isOnlyOfKind = all.filter((one) => one.kind === kind).length === 1;
  const isTaken = all.some((one) => one.name === SINGLE_BROKER_NAME);
  return { name, kind, ...(isOnlyOfKind && !isTaken ? { formerName: SINGLE_BROKER_NAME } : {}) };
}
