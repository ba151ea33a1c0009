import { createHash } from 'node:crypto';
import type { AccountEntry } from '../../trading/account-entry.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Caller } from '../auth/caller.ts';
import type { Broker, ConnectBroker } from './broker.ts';
import type { BrokerCredentials } from './broker-credentials.ts';
import type { BrokerTraits } from './broker-traits.ts';

/** A configured broker. Each person has at most one account at it. */
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

/** One person's opened account. */
export interface OpenAccount extends Broker {
  readonly traits: BrokerTraits;
  readonly at: Pick<ConfiguredBroker, 'name' | 'label' | 'isUnattended'>;
}

export type AccountHolder = Pick<Caller, 'sub' | 'by' | 'accessToken' | 'mandate'>;

/**
 * Opens the person's account with this number, or their default account. The number alone determines the broker.
 * @throws {HttpProblem} 403 `account_mismatch`, 409 `account_not_connected`, and the errors of the credentials and the
 * broker's reads
 */
export type OpenAccountFor = (who: AccountHolder, account?: string) => Promise<OpenAccount>;

export type Accounts = ReturnType<typeof createAccounts>;

interface AccountsOptions {
  /** The default account is at the first broker that the person is connected to, unless they chose another. */
  readonly places: readonly ConfiguredBroker[];
  readonly environment: 'paper' | 'live';
  readonly chosen: {
    find(sub: string): Promise<string | undefined>;
    choose(sub: string, account: string): Promise<void>;
  };
}

const MAX_CACHED_NUMBERS = 10_000;

export function createAccounts({ places, environment, chosen }: AccountsOptions) {
  const [only, another] = places;
  if (only === undefined) throw new TypeError('a gateway has at least one broker');
  const isOne = another === undefined;
  const numbers = createAccountNumbers();

  const openAt = async (place: ConfiguredBroker, who: AccountHolder): Promise<OpenAccount> => {
    const { traits, name, label, isUnattended } = place;
    const found = await place.credentials.credentialsFor(who);
    const broker = place.connect(found, () => place.credentials.forget(who.sub, found), place.sendFor(who.sub));
    return Object.assign(broker, { traits, at: { name, label, isUnattended } });
  };

  const numberAt = async (place: ConfiguredBroker, who: AccountHolder) =>
    numbers.ask(place, who, await openAt(place, who));

  /**
   * @throws {HttpProblem} 403 `account_mismatch`; or the error of a broker that may have the account but could not be
   * reached
   */
  const placeOf = async (who: AccountHolder, account: string): Promise<ConfiguredBroker> => {
    const known = await Promise.all(places.map(async (place) => [place, await numbers.known(place, who)] as const));
    const named = known.filter(([, one]) => one === account).map(([place]) => place);
    if (named.length > 0) return requireUnique(named, account);
    const asked = known.flatMap(([place, one]) => (one === undefined ? [place] : []));
    const told = await Promise.all(
      asked.map(async (place) => {
        try {
          return { place, account: await numberAt(place, who) };
        } catch (error) {
          if (!(error instanceof HttpProblem)) throw error;
          return { place, error };
        }
      }),
    );
    const found = told.filter((one) => one.account === account).map(({ place }) => place);
    if (found.length > 0) return requireUnique(found, account);
    const errors = told.flatMap(({ error }) => (error === undefined ? [] : [error]));
    const silent = errors.find(({ code }) => code !== 'account_not_connected');
    // No broker is connected at all.
    const unconnected = errors.length === places.length ? errors[0] : undefined;
    throw silent ?? unconnected ?? unknownAccount();
  };

  const defaultPlace = async (who: AccountHolder): Promise<ConfiguredBroker> => {
    if (isOne) return only;
    const account = await chosen.find(who.sub);
    if (account !== undefined) {
      return await placeOf(who, account).catch((error: unknown) => {
        throw error instanceof HttpProblem && error.code === 'account_mismatch' ? defaultDisconnected(account) : error;
      });
    }
    for (const place of places) if (await place.credentials.isConnected(who)) return place;
    return only;
  };

  const open: OpenAccountFor = async (who, account) =>
    openAt(await (account === undefined ? defaultPlace(who) : placeOf(who, account)), who);
  return {
    open,
    /** Returns the accounts in the order of the settings. A broker that can't be reached is listed with the reason. */
    async of(who: AccountHolder): Promise<AccountEntry[]> {
      const connected = await Promise.all(
        places.map(async (place) => {
          // Undefined if this can't be determined now.
          return { place, connected: await unlessRefused(place.credentials.isConnected(who)) };
        }),
      );
      const theirs = connected.filter((one) => one.connected !== false).map(({ place }) => place);
      const byDefault = await unlessRefused(defaultPlace(who));
      return await Promise.all(
        theirs.map(async (place): Promise<AccountEntry> => {
          const { name: broker, label } = place;
          const entry = { broker, label, environment, default: place === byDefault };
          try {
            const known = await numbers.known(place, who);
            return { account: known ?? (await numberAt(place, who)), ...entry };
          } catch (error) {
            if (!(error instanceof HttpProblem)) throw error;
            return { account: null, ...entry, problem: error.code };
          }
        }),
      );
    },
    /** Sets the default account. @throws {HttpProblem} as `open` */
    async choose(who: AccountHolder, account: string): Promise<void> {
      await placeOf(who, account);
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

/** Caches account numbers by credentials, because other credentials may belong to another account. */
function createAccountNumbers() {
  const told = new Map<string, string>();
  const keyOf = async ({ name, credentials }: ConfiguredBroker, who: AccountHolder) =>
    createHash('sha256')
      .update(JSON.stringify([name, who.sub, await credentials.credentialsFor(who)]))
      .digest('base64');
  return {
    /** Returns undefined if only the broker knows the number, or if there are no credentials. */
    async known(place: ConfiguredBroker, who: AccountHolder): Promise<string | undefined> {
      const kept = await place.credentials.accountOf?.(who);
      if (kept !== undefined || told.size === 0) return kept;
      return await unlessRefused(keyOf(place, who).then((key) => told.get(key)));
    },
    async ask(place: ConfiguredBroker, who: AccountHolder, opened: OpenAccount): Promise<string> {
      const key = await keyOf(place, who);
      const { account } = await opened.account();
      if (told.size >= MAX_CACHED_NUMBERS) told.clear();
      told.set(key, account);
      return account;
    },
  };
}

/** Requires a single broker: if two brokers report the same number, it does not identify an account. */
function requireUnique(found: readonly ConfiguredBroker[], account: string): ConfiguredBroker {
  const [place, another] = found;
  if (place !== undefined && another === undefined) return place;
  const names = found.map(({ name }) => name).join(' and ');
  throw new HttpProblem(403, 'account_mismatch', `${names} both have an account ${account} of this user`, {
    hint: 'Remove one of them from "brokers" in gateway.yaml.',
    fields: ['account'],
    challenge: {},
  });
}

function unknownAccount(): HttpProblem {
  return new HttpProblem(403, 'account_mismatch', 'this user has no such account', {
    hint: 'List them with "trade-agent accounts".',
    fields: ['account'],
    challenge: {},
  });
}

function defaultDisconnected(account: string): HttpProblem {
  return new HttpProblem(409, 'account_not_connected', `the default account ${account} is no longer connected`, {
    hint: 'Choose another with "trade-agent accounts default", or pass the account.',
  });
}
