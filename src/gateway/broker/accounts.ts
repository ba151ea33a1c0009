import { createHash } from 'node:crypto';
import type { AccountEntry } from '../../trading/account-entry.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Caller } from '../auth/caller.ts';
import type { Broker, ConnectBroker } from './broker.ts';
import type { BrokerCredentials } from './broker-credentials.ts';
import type { BrokerTraits } from './broker-traits.ts';

/** A broker in the settings. A person has at most one account at each configured broker. */
export interface ConfiguredBroker {
  readonly name: string;
  readonly label: string;
  readonly traits: BrokerTraits;
  readonly credentials: BrokerCredentials;
  readonly connect: ConnectBroker;
  readonly sendFor: (sub: string) => typeof fetch;
  /** Whether accounts can be opened while their owner is not signed in. */
  readonly isUnattended: boolean;
}

export interface OpenAccount extends Broker {
  readonly traits: BrokerTraits;
  readonly at: Pick<ConfiguredBroker, 'name' | 'label' | 'isUnattended'>;
}

export type AccountHolder = Pick<Caller, 'sub' | 'by' | 'accessToken' | 'mandate'>;

/**
 * Opens the person's account with this number, or their default account if no number is given. The number alone
 * determines the broker.
 * @throws {HttpProblem} 403 `account_mismatch`, 409 `account_not_connected`, and the errors of `credentialsFor` and of
 * the broker's reads
 */
export type OpenAccountFor = (who: AccountHolder, account?: string) => Promise<OpenAccount>;

export type AccountDirectory = ReturnType<typeof createAccountDirectory>;

interface AccountsOptions {
  /**
   * Brokers in the order of preference. A person who has not chosen a default account gets the account at the first
   * broker that they connected.
   */
  readonly brokers: readonly ConfiguredBroker[];
  readonly environment: 'paper' | 'live';
  readonly defaultAccounts: {
    find(sub: string): Promise<string | undefined>;
    choose(sub: string, account: string): Promise<void>;
  };
}

const MAX_CACHED_NUMBERS = 10_000;

export function createAccountDirectory({ brokers: places, environment, defaultAccounts: chosen }: AccountsOptions) {
  const [only, another] = places;
  if (only === undefined) throw new TypeError('a gateway has at least one broker');
  const isOne = another === undefined;
  const numbers = createAccountNumbers();

  const openAt = async (configured: ConfiguredBroker, who: AccountHolder): Promise<OpenAccount> => {
    const { traits, name, label, isUnattended } = configured;
    const found = await configured.credentials.credentialsFor(who);
    const broker = configured.connect(
      found,
      () => configured.credentials.forget(who.sub, found),
      configured.sendFor(who.sub),
    );
    return Object.assign(broker, { traits, at: { name, label, isUnattended } });
  };

  const numberAt = async (configured: ConfiguredBroker, who: AccountHolder) =>
    numbers.ask(configured, who, await openAt(configured, who));

  /** @throws {HttpProblem} 403 `account_mismatch`, or the error of a broker that could not report its account number */
  const brokerOf = async (who: AccountHolder, account: string): Promise<ConfiguredBroker> => {
    const known = await Promise.all(
      places.map(async (configured) => [configured, await numbers.known(configured, who)] as const),
    );
    const named = known.filter(([, one]) => one === account).map(([configured]) => configured);
    if (named.length > 0) return requireUnique(named, account);
    const asked = known.flatMap(([configured, one]) => (one === undefined ? [configured] : []));
    const reported = await Promise.all(
      asked.map(async (configured) => {
        try {
          return { configured, account: await numberAt(configured, who) };
        } catch (error) {
          if (!(error instanceof HttpProblem)) throw error;
          return { configured, error };
        }
      }),
    );
    const found = reported.filter((one) => one.account === account).map(({ configured }) => configured);
    if (found.length > 0) return requireUnique(found, account);
    const errors = reported.flatMap(({ error }) => (error === undefined ? [] : [error]));
    const silent = errors.find(({ code }) => code !== 'account_not_connected');
    // Set only if every broker reported an error.
    const unconnected = errors.length === places.length ? errors[0] : undefined;
    throw silent ?? unconnected ?? unknownAccount();
  };

  const defaultBroker = async (who: AccountHolder): Promise<ConfiguredBroker> => {
    if (isOne) return only;
    const account = await chosen.find(who.sub);
    if (account !== undefined) {
      return await brokerOf(who, account).catch((error: unknown) => {
        throw error instanceof HttpProblem && error.code === 'account_mismatch' ? defaultDisconnected(account) : error;
      });
    }
    for (const configured of places) if (await configured.credentials.isConnected(who)) return configured;
    return only;
  };

  const open: OpenAccountFor = async (who, account) =>
    openAt(await (account === undefined ? defaultBroker(who) : brokerOf(who, account)), who);
  return {
    open,
    /**
     * Lists the person's accounts in the order of the brokers in the settings. If a broker can't report the account
     * number, the account is listed with the error's code.
     */
    async of(who: AccountHolder): Promise<AccountEntry[]> {
      const connected = await Promise.all(
        places.map(async (configured) => {
          // `connected` is undefined if the credentials can't be checked now.
          return { configured, connected: await unlessRefused(configured.credentials.isConnected(who)) };
        }),
      );
      const theirs = connected.filter((one) => one.connected !== false).map(({ configured }) => configured);
      const byDefault = await unlessRefused(defaultBroker(who));
      return await Promise.all(
        theirs.map(async (configured): Promise<AccountEntry> => {
          const { name: broker, label } = configured;
          const entry = { broker, label, environment, default: configured === byDefault };
          try {
            const known = await numbers.known(configured, who);
            return { account: known ?? (await numberAt(configured, who)), ...entry };
          } catch (error) {
            if (!(error instanceof HttpProblem)) throw error;
            return { account: null, ...entry, problem: error.code };
          }
        }),
      );
    },
    /** Sets the person's default account. @throws {HttpProblem} the same problems as {@link OpenAccountFor} */
    async choose(who: AccountHolder, account: string): Promise<void> {
      await brokerOf(who, account);
      await chosen.choose(who.sub, account);
    },
  };
}

async function unlessRefused<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    return undefined;
  }
}

/** Caches account numbers by the credentials' digest, because new credentials may open another account. */
function createAccountNumbers() {
  const cached = new Map<string, string>();
  const keyOf = async ({ name, credentials }: ConfiguredBroker, who: AccountHolder) =>
    createHash('sha256')
      .update(JSON.stringify([name, who.sub, await credentials.credentialsFor(who)]))
      .digest('base64');
  return {
    /** Returns the stored or cached number, without asking the broker. */
    async known(configured: ConfiguredBroker, who: AccountHolder): Promise<string | undefined> {
      const stored = await configured.credentials.accountOf?.(who);
      if (stored !== undefined || cached.size === 0) return stored;
      return await unlessRefused(keyOf(configured, who).then((key) => cached.get(key)));
    },
    async ask(configured: ConfiguredBroker, who: AccountHolder, opened: OpenAccount): Promise<string> {
      const key = await keyOf(configured, who);
      const { account } = await opened.account();
      if (cached.size >= MAX_CACHED_NUMBERS) cached.clear();
      cached.set(key, account);
      return account;
    },
  };
}

/** Throws if two brokers reported this account number, because the number then does not identify one account. */
function requireUnique(found: readonly ConfiguredBroker[], account: string): ConfiguredBroker {
  const [configured, another] = found;
  if (configured !== undefined && another === undefined) return configured;
  const names = found.map(({ name }) => name).join(' and ');
  throw new HttpProblem(403, 'account_mismatch', `${names} both have an account ${account} of this user`, {
    hint: 'Remove one of them from "brokers" in gateway.yaml.',
    fields: ['account'],
    challenge: {},
  });
}

function unknownAccount(): HttpProblem {
  return new HttpProblem(403, 'account_mismatch', 'this user has no such account', {
    hint: 'List the accounts with "trade-agent accounts".',
    fields: ['account'],
    challenge: {},
  });
}

function defaultDisconnected(account: string): HttpProblem {
  return new HttpProblem(409, 'account_not_connected', `the default account ${account} is no longer connected`, {
    hint: 'Choose another default account with "trade-agent accounts default", or name an account in the request.',
  });
}
