import { requireUnusedFolder } from '../../../app/home/home-files.ts';
import { type CreatedHome, initHome, type NewHome, verifyNewAccount } from '../../../app/home/init-home.ts';
import { createPracticeAccount } from '../../../app/home/practice-account.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { type OfferedBroker, PRACTICE_BROKER } from '../../../gateway/broker/offered-brokers.ts';
import { requireCredentialKind } from '../../../gateway/broker/verify-keys.ts';
import { defined } from '../../../values/defined.ts';
import type { Context } from '../../context/context.ts';
import { promptForBroker, promptForFirstBroker } from './broker-answer.ts';
import { confirmAccount, readBrokerKeys } from './broker-keys.ts';
import {
  type InitOptions,
  promptForLimits,
  promptForNoticeChannel,
  promptForOwner,
  promptForPhone,
} from './init-answers.ts';

/**
 * Prompts for missing options, tests the keys with the broker, and creates the home.
 * @throws {TradeAgentError} `usage`, `busy`, `broker_rejected`, `broker_unreachable`, before anything is written
 */
export async function makeHome(context: Context, folder: string, options: InitOptions): Promise<NewHome & CreatedHome> {
  // Checks the folder before the person types anything.
  requireUnusedFolder(folder);
  const reach = await promptForPhone(context, options);
  const owner = await promptForOwner(context, options);
  const kind = await chooseBroker(context, options);
  const isPractice = kind === PRACTICE_BROKER;
  const opened = isPractice ? await createPracticeAccount(context) : await openAccount(context, options, kind);
  // Practice needs no further answers, because its limits can be changed later.
  const asking = isPractice ? { ...options, yes: true } : options;
  const limits = await promptForLimits(context, asking, isPractice);
  const notices = await promptForNoticeChannel(context, asking);
  const home: NewHome = {
    folder,
    settings: {
      ...reach,
      ...defined({ notices }),
      ...(isPractice ? { practice_broker: PRACTICE_BROKER } : {}),
    },
    owner,
    opened,
    limits,
    brokerName: isPractice ? PRACTICE_BROKER : undefined,
  };
  return { ...home, ...(await initHome(context, home)) };
}

/** Returns the broker. Returns undefined for the default: Alpaca, or an API like Alpaca's at the specified address. */
async function chooseBroker(context: Context, options: InitOptions): Promise<InitOptions['broker']> {
  const { broker, brokerUrl, brokerKeyFile, brokerKeyFd, yes } = options;
  if (broker === PRACTICE_BROKER) {
    const extra = Object.entries({ brokerUrl, brokerKeyFile, brokerKeyFd, credentials: options.credentials });
    if (extra.some(([, value]) => value !== undefined) || options.environment === 'live') {
      throw new TradeAgentError('usage', '--broker practice takes no keys, address or environment', {
        hint: 'Leave these options out, or choose your broker. Nothing was written.',
      });
    }
    return broker;
  }
  const hasKeys = brokerKeyFile !== undefined || brokerKeyFd !== undefined;
  const asks = context.io.interactive && yes !== true && brokerUrl === undefined;
  return broker !== undefined || !asks || hasKeys ? broker : await promptForFirstBroker(context);
}

async function openAccount(context: Context, options: InitOptions, kind: OfferedBroker | undefined) {
  const { brokerUrl: url, credentials, yes } = options;
  const entry = await promptForBroker(context, { kind, url, credentials, byDefault: yes === true });
  const pair = await readBrokerKeys(context, options, requireCredentialKind(entry.settings));
  const opened = await verifyNewAccount(context, entry, pair, options.environment ?? 'paper');
  await confirmAccount(context, opened.account, options.confirmLive);
  return opened;
}
