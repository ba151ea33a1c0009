import { z } from 'zod';

/** One thing that a person gives of their account at a broker, as it is asked for. */
interface KeptField {
  readonly label: string;
  /** By which a file may give it, in small letters with "_". Told apart from other files' by nothing else. */
  readonly names: readonly string[];
  /** What it looks like. All of it is sent in headers or addresses, so that a library could quote it in an error. */
  readonly pattern: RegExp;
  /** Said of one that doesn't look so. */
  readonly wrong: string;
}

const visible = {
  pattern: /^[\x21-\x7e]{8,256}$/,
  wrong: 'is no secret: 8 to 256 visible characters, no spaces',
};
const account = (label: string, names: readonly string[]): KeptField => ({
  label,
  names,
  pattern: /^[A-Za-z0-9_-]{4,64}$/,
  wrong: 'is no account’s: letters, digits, "_" and "-" alone',
});

const snaptrade = {
  clientId: {
    label: 'Client id',
    names: ['client_id', 'snaptrade_client_id'],
    pattern: /^[A-Za-z0-9_-]{4,64}$/,
    wrong: 'is no client id: letters, digits, "_" and "-" alone',
  },
  consumerKey: { label: 'Consumer key', names: ['consumer_key', 'snaptrade_consumer_key'], ...visible },
} as const;
/** SnapTrade's own id of one of the person's accounts, not the brokerage's number. */
const snaptradeAccount = {
  label: 'Account id',
  names: ['account', 'account_id', 'snaptrade_account_id'],
  pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  wrong: 'is no account’s: SnapTrade writes 36 characters with four "-"',
} as const;

/**
 * What opens an account at a broker, where its owner gives it and the gateway keeps it: what it is called, and its parts in
 * the order in which they are asked for. The setting `credentials` names one of these, or `exchange`.
 */
const keptKinds = {
  key_pair: {
    noun: 'key pair',
    where: 'at Alpaca, Home → API Keys, of the paper or the live account',
    again: 'Make a new pair at the broker',
    fields: {
      keyId: {
        label: 'Key id',
        names: ['key', 'key_id', 'keyid', 'id', 'apca_api_key_id', 'alpaca_api_key', 'api_key'],
        pattern: /^[A-Za-z0-9_-]{4,128}$/,
        wrong: 'is no key id: letters, digits, "_" and "-" alone',
      },
      secret: {
        label: 'Secret',
        names: ['secret', 'secret_key', 'apca_api_secret_key', 'alpaca_secret_key', 'api_secret'],
        ...visible,
      },
    },
  },
  access_token: {
    noun: 'access token',
    where: 'at web.tradier.com, API access; the sandbox’s account has one of its own',
    again: 'Make a new token at the broker',
    fields: {
      accountNumber: account('Account number', [
        'account',
        'account_number',
        'account_id',
        'tradier_account',
      ]),
      token: {
        label: 'Access token',
        names: ['token', 'access_token', 'tradier_token', 'tradier_access_token'],
        ...visible,
      },
    },
  },
  snaptrade_user: {
    noun: 'SnapTrade user',
    where:
      'client id and key from dashboard.snaptrade.com, user and account as they were registered with them',
    again: 'Reset the user’s secret at SnapTrade',
    fields: {
      ...snaptrade,
      userId: {
        label: 'User id',
        names: ['user_id', 'snaptrade_user_id'],
        pattern: /^[\x21-\x7e]{1,128}$/,
        wrong: 'is no user id: visible characters, no spaces',
      },
      userSecret: { label: 'User secret', names: ['user_secret', 'snaptrade_user_secret'], ...visible },
      accountId: snaptradeAccount,
    },
  },
  gateway_session: {
    noun: 'account number',
    where: 'its session is that of the Client Portal Gateway: sign in at its page first',
    again: 'Sign in at the page of the Client Portal Gateway (broker.url in gateway.yaml)',
    fields: {
      account: account('Account number', ['account', 'account_number', 'account_id', 'ibkr_account']),
    },
  },
  snaptrade_personal: {
    noun: 'personal SnapTrade key',
    where: 'at dashboard.snaptrade.com, for the accounts that are connected there',
    again: 'Make a new key at SnapTrade',
    fields: { ...snaptrade, accountId: snaptradeAccount },
  },
} as const satisfies Readonly<Record<string, KeptWords>>;

interface KeptWords {
  /** For people: "no … is kept here". */
  readonly noun: string;
  /** Where its owner finds it, before they are asked for it. */
  readonly where: string;
  /** Where the broker refuses it: what its owner does before giving another. */
  readonly again: string;
  readonly fields: Readonly<Record<string, KeptField>>;
}

/** The kinds of what is kept, as the setting `credentials` calls them. */
export type KeptKind = keyof typeof keptKinds;
export const keptKindNames = Object.keys(keptKinds) as [KeptKind, ...KeptKind[]];

/** The parts of one kind. */
export type KeptOf<K extends KeptKind> = K extends KeptKind
  ? { readonly [F in keyof (typeof keptKinds)[K]['fields']]: string }
  : never;
/** What opens one person's account, of whatever kind. */
export type KeptCredentials = KeptOf<KeptKind>;

/** The words and fields of a kind. */
export function keptWords(kind: KeptKind): KeptWords {
  return keptKinds[kind];
}

/** Reads what was given or kept as one kind's. */
export function keptSchema<K extends KeptKind>(kind: K): z.ZodType<KeptOf<K>> {
  const fields = Object.entries(keptWords(kind).fields).map(
    ([name, { pattern, wrong }]) => [name, z.string().regex(pattern, wrong)] as const,
  );
  return z.strictObject(Object.fromEntries(fields)) as unknown as z.ZodType<KeptOf<K>>;
}

/** Whether accounts are opened by what their owners gave, all of them and always. */
export function isKept(credentials: 'exchange' | KeptKind | undefined): credentials is KeptKind {
  return credentials !== undefined && credentials !== 'exchange';
}
