import { initHome, type MadeHome, type NewHome, openAccount } from '../../../app/home/init-home.ts';
import { requireFree } from '../../../app/home/new-folder.ts';
import { safeLine } from '../../../net/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { Context } from '../../context.ts';
import { confirmLive, readBrokerKeys } from './broker-keys.ts';
import {
  addressAnswer,
  type InitOptions,
  limitAnswers,
  listeningAnswer,
  noticeAnswer,
  ownerAnswer,
} from './init-answers.ts';

/**
 * Asks what is not given, tries the broker's keys, and makes the home.
 * @throws {TradeAgentError} `usage`, `busy`, `broker_rejected`, `broker_unreachable`; then nothing was written
 */
export async function makeHome(
  context: Context,
  folder: string,
  options: InitOptions,
): Promise<NewHome & MadeHome> {
  // Before anybody has typed anything.
  requireFree(folder);
  const address = await addressAnswer(context, options);
  const owner = await ownerAnswer(context, options);
  if (context.io.interactive && options.brokerKeyFile === undefined && options.brokerKeyFd === undefined) {
    context.io.talk(
      "\nYour broker's keys: at Alpaca, Home → API Keys, of the paper or the live account.\nThey stay on this machine, sealed in the home's own folder.",
    );
  }
  const pair = await readBrokerKeys(context, options, 'key_pair');
  const opened = await openAccount(context, pair, {
    url: options.brokerUrl,
    environment: options.environment ?? 'paper',
  });
  const { accountNumber, environment, status } = opened.account;
  context.io.talk(`Account ${safeLine(accountNumber)}: ${environmentWord(environment)}, ${safeLine(status)}`);
  await confirmLive(context, opened.account, options.confirmLive);
  const limits = await limitAnswers(context, options);
  const notices = await noticeAnswer(context, options);
  const home: NewHome = {
    folder,
    settings: {
      address,
      ...listeningAnswer(options),
      ...(notices === undefined ? {} : { notices }),
    },
    owner,
    opened,
    limits,
  };
  return { ...home, ...(await initHome(context, home)) };
}
