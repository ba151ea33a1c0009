import type { KeptCredentials, KeptKind } from '../../gateway/broker/kept-kinds.ts';
import type { KeptKeyPair } from '../../gateway/broker/key-pairs.ts';
import type { VerifiedAccount } from '../../gateway/broker/verified-account.ts';
import { keptKindOf, verifyCredentials } from '../../gateway/broker/verify-keys.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { App } from '../app.ts';
import { readGatewaySettings } from './home-files.ts';
import { requireOwnFolder, withHome } from './open-home.ts';
import { personOf } from './pair-phone.ts';

/** What opens an account at the broker of this home. @throws {TradeAgentError} `usage` where there is no home */
export async function whatIsKept(folder: string): Promise<KeptKind> {
  requireOwnFolder(folder);
  return keptKindOf((await readGatewaySettings(folder)).broker);
}

/**
 * Keeps another key pair for a person's account, from the next request on. The home serves either paper or live accounts:
 * one of the other kind is refused.
 * @param confirm asked about a live account before anything is kept
 * @throws {TradeAgentError} `usage`, `broker_rejected`, `broker_unreachable`, and what `confirm` throws
 */
export async function setBrokerKeys(
  app: Pick<App, 'clock' | 'fetch'>,
  {
    folder,
    username,
    pair,
  }: { readonly folder: string; readonly username: string | undefined; readonly pair: KeptCredentials },
  confirm: (account: VerifiedAccount) => Promise<void>,
): Promise<{ readonly username: string; readonly account: VerifiedAccount }> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    const { broker, environment } = home.gateway;
    const account = await verifyCredentials(broker, pair, { environment, fetch: app.fetch });
    if (account.environment !== environment) {
      throw new TradeAgentError(
        'usage',
        `account ${account.accountNumber} is ${account.environment}; this home is ${environment}`,
        {
          hint: `Take the ${environment} account's keys, or make a home of its own for this account.`,
        },
      );
    }
    await confirm(account);
    failpoint('account.verified');
    await home.keyPairs.keep(person.username, pair, account);
    failpoint('account.kept');
    return { username: person.username, account };
  });
}

/** Whose accounts this home can open; nothing secret. */
export async function listBrokerKeys(app: Pick<App, 'clock'>, folder: string): Promise<KeptKeyPair[]> {
  return await withHome(app, folder, ({ keyPairs }) => keyPairs.list());
}

/** @throws {TradeAgentError} `not_found` */
export async function removeBrokerKeys(
  app: Pick<App, 'clock'>,
  folder: string,
  username: string | undefined,
): Promise<{ readonly username: string }> {
  return await withHome(app, folder, async (home) => {
    const person = personOf(home, username);
    if (await home.keyPairs.remove(person.username)) return { username: person.username };
    throw new TradeAgentError('not_found', `there are no broker keys of ${person.username} here`, {
      hint: 'See "trade-agent home broker show".',
    });
  });
}
