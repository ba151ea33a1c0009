import { TradeAgentError } from '../../errors/errors.ts';
import {
  type BrokerSettings,
  brokerOf,
  brokerSettingsSchema,
  traitsOf,
  type WrittenBroker,
} from '../../gateway/broker/brokers.ts';
import type { OfferedBroker } from '../../gateway/broker/offered-brokers.ts';
import { defined } from '../../values/defined.ts';

/** What whoever sets a broker up says of it. */
export interface BrokerChoice {
  readonly kind: OfferedBroker;
  /** What opens accounts there: a `KeptKind`; the first that the broker has, where it is not said. */
  readonly credentials?: string | undefined;
  /** Where the broker is, unless it is at its own addresses. */
  readonly url?: string | undefined;
  /** What its owner calls the account there. */
  readonly label?: string | undefined;
}

/** A broker as `gateway.yaml` is to have it, and as it is read from there. */
export interface BrokerEntry {
  readonly written: WrittenBroker;
  readonly settings: BrokerSettings;
  /** For people: the broker's own name. */
  readonly label: string;
}

/**
 * The entry of a broker whose accounts are opened by what people give.
 * @throws {TradeAgentError} `usage` for what can't be said of this kind of broker
 */
export function brokerEntry({ kind, credentials, url, label }: BrokerChoice): BrokerEntry {
  const { kept, address } = brokerOf({ kind });
  const kinds: readonly string[] = kept?.kinds ?? [];
  if (credentials !== undefined && !kinds.includes(credentials)) {
    // Not what it says: somebody may have typed a key there.
    throw usage(
      `--credentials names nothing that opens accounts of ${kind}`,
      `Choose ${kinds.join(' or ')}.`,
    );
  }
  const written = {
    kind,
    credentials: credentials ?? kinds[0],
    ...defined({ label }),
    ...(url === undefined ? {} : { [address]: url }),
  } as WrittenBroker;
  const { data, error } = brokerSettingsSchema.safeParse(written);
  if (data !== undefined) return { written, settings: data, label: traitsOf(data).label };
  const [issue] = error.issues;
  const about = issue?.path[0] === address ? 'the address of the broker' : (issue?.path.join('.') ?? kind);
  throw usage(`${about}: ${issue?.message}`, 'docs/guide/BROKERS.md says what each kind of broker takes.');
}

function usage(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('usage', message, { hint: `${hint} Nothing was written.` });
}
