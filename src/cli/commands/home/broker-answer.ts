import { type BrokerChoice, type BrokerEntry, createBrokerEntry } from '../../../app/home/brokers.ts';
import { findBrokerKind } from '../../../gateway/broker/brokers.ts';
import { type OfferedBroker, offeredBrokers, PRACTICE_BROKER } from '../../../gateway/broker/offered-brokers.ts';
import { getCredentialTexts } from '../../../gateway/broker/stored-kinds.ts';
import type { Context } from '../../context/context.ts';
import { promptForChoice } from '../../terminal/questions.ts';

interface BrokerFlags extends Omit<BrokerChoice, 'kind'> {
  readonly kind?: OfferedBroker | undefined;
  readonly byDefault?: boolean;
}

/**
 * Asks for the broker and the kind of credentials, unless flags specify them. If only an address is given, assumes that
 * the broker at this address has the same API as the first offered broker.
 * @throws {TradeAgentError} `usage`
 */
export async function promptForBroker(
  asking: Pick<Context, 'io' | 'signal'>,
  { kind: given, byDefault = false, ...more }: BrokerFlags,
): Promise<BrokerEntry> {
  const asks = asking.io.interactive && !byDefault;
  const kind = given ?? (asks && more.url === undefined ? await askBrokerKind(asking) : offeredBrokers[0]);
  const [first, ...others] = findBrokerKind({ kind }).storedCredentials?.kinds ?? [];
  if (first === undefined || others.length === 0 || more.credentials !== undefined || !asks) {
    return createBrokerEntry({ ...more, kind });
  }
  const kinds = [first, ...others];
  const chosen = await promptForChoice(
    asking,
    'Which credentials do you have?',
    kinds.map((one) => `${getCredentialTexts(one).noun}: ${getCredentialTexts(one).where}`),
  );
  return createBrokerEntry({ ...more, kind, credentials: kinds[chosen] });
}

/** Asks for the broker of a new home, which can also be the home's own practice broker. */
export async function promptForFirstBroker(
  asking: Pick<Context, 'io' | 'signal'>,
): Promise<OfferedBroker | typeof PRACTICE_BROKER> {
  const answers = ['Practice with simulated money: needs no broker and no keys', ...brokerAnswers()];
  const chosen = await promptForChoice(asking, 'Which broker do you use?', answers);
  return offeredBrokers[chosen - 1] ?? PRACTICE_BROKER;
}

async function askBrokerKind(asking: Pick<Context, 'io' | 'signal'>) {
  const chosen = await promptForChoice(asking, 'Which broker do you use?', brokerAnswers());
  return offeredBrokers[chosen] ?? offeredBrokers[0];
}

function brokerAnswers(): string[] {
  return offeredBrokers.map((kind) => {
    const { storedCredentials: kept } = findBrokerKind({ kind });
    return `${createBrokerEntry({ kind }).label}: ${kept?.kinds.map((one) => getCredentialTexts(one).noun).join(' or ')}`;
  });
}
