import { requireUnusedFolder } from '../../../app/home/home-files.ts';
import { type CreatedHome, initHome, type NewHome, verifyNewAccount } from '../../../app/home/init-home.ts';
import { requireCredentialKind } from '../../../gateway/broker/verify-keys.ts';
import { defined } from '../../../values/defined.ts';
import type { Context } from '../../context/context.ts';
import { promptForBroker } from './broker-answer.ts';
import { confirmAccount, readBrokerKeys } from './broker-keys.ts';
import {
  type InitOptions,
  promptForAddress,
  promptForLimits,
  promptForNoticeChannel,
  promptForOwner,
  toListenSettings,
} from './init-answers.ts';

/**
 * Prompts for missing options, tests the keys with the broker, and creates the home.
 * @throws {TradeAgentError} `usage`, `busy`, `broker_rejected`, `broker_unreachable`, before anything is written
 */
export async function makeHome(context: Context, folder: string, options: InitOptions): Promise<NewHome & CreatedHome> {
  // Checks the folder before the person types anything.
  requireUnusedFolder(folder);
  const address = await promptForAddress(context, options);
  const owner = await promptForOwner(context, options);
  const { broker: kind, brokerUrl: url, credentials } = options;
  const entry = await promptForBroker(context, { kind, url, credentials, byDefault: options.yes === true });
  const pair = await readBrokerKeys(context, options, requireCredentialKind(entry.settings));
  const opened = await verifyNewAccount(context, entry, pair, options.environment ?? 'paper');
  await confirmAccount(context, opened.account, options.confirmLive);
  const limits = await promptForLimits(context, options);
  const notices = await promptForNoticeChannel(context, options);
  const home: NewHome = {
    folder,
    settings: {
      address,
      ...toListenSettings(options),
      ...defined({ notices }),
    },
    owner,
    opened,
    limits,
  };
  return { ...home, ...(await initHome(context, home)) };
}
