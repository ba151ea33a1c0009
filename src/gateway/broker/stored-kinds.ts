import { z } from 'zod';

interface CredentialField {
  readonly label: string;
  /** The names that the field may have in a credentials file, in lowercase with "_". */
  readonly names: readonly string[];
  /** Excludes characters that could cause an error in a library, because the error might quote the secret. */
  readonly pattern: RegExp;
  readonly wrong: string;
}

const secretField = {
  pattern: /^[\x21-\x7e]{8,256}$/,
  wrong: 'must be 8 to 256 visible characters, without spaces',
};
const accountField = (label: string, names: readonly string[]): CredentialField => ({
  label,
  names,
  pattern: /^[A-Za-z0-9_-]{4,64}$/,
  wrong: 'must contain only letters, digits, "_" and "-"',
});

const snaptrade = {
  clientId: {
    label: 'Client ID',
    names: ['client_id', 'snaptrade_client_id'],
    pattern: /^[A-Za-z0-9_-]{4,64}$/,
    wrong: 'must contain only letters, digits, "_" and "-"',
  },
  consumerKey: { label: 'Consumer key', names: ['consumer_key', 'snaptrade_consumer_key'], ...secretField },
} as const;
/** SnapTrade's own ID of an account. It is not the brokerage's account number. */
const snaptradeAccount = {
  label: 'Account ID',
  names: ['account', 'account_id', 'snaptrade_account_id'],
  pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  wrong: 'must be the ID that SnapTrade shows: 36 characters, of which four are "-"',
} as const;

/** Kinds of credentials, by their names in the setting `credentials`. The fields are in the order of the prompts. */
const credentialKinds = {
  key_pair: {
    noun: 'key pair',
    where: 'at Alpaca, under Home → API Keys of the paper or live account',
    again: 'Create a new pair at the broker',
    fields: {
      keyId: {
        label: 'Key ID',
        names: ['key', 'key_id', 'keyid', 'id', 'apca_api_key_id', 'alpaca_api_key', 'api_key'],
        pattern: /^[A-Za-z0-9_-]{4,128}$/,
        wrong: 'must contain only letters, digits, "_" and "-"',
      },
      secret: {
        label: 'Secret',
        names: ['secret', 'secret_key', 'apca_api_secret_key', 'alpaca_secret_key', 'api_secret'],
        ...secretField,
      },
    },
  },
  access_token: {
    noun: 'access token',
    where: 'at web.tradier.com, under API access (the sandbox account has a separate token)',
    again: 'Create a new token at the broker',
    fields: {
      accountNumber: accountField('Account number', ['account', 'account_number', 'account_id', 'tradier_account']),
      token: {
        label: 'Access token',
        names: ['token', 'access_token', 'tradier_token', 'tradier_access_token'],
        ...secretField,
      },
    },
  },
  snaptrade_user: {
    noun: 'SnapTrade user',
    where: 'client ID and key from dashboard.snaptrade.com; user and account as registered there',
    again: 'Reset the user’s secret at SnapTrade',
    fields: {
      ...snaptrade,
      userId: {
        label: 'User ID',
        names: ['user_id', 'snaptrade_user_id'],
        pattern: /^[\x21-\x7e]{1,128}$/,
        wrong: 'must contain only visible characters, without spaces',
      },
      userSecret: { label: 'User secret', names: ['user_secret', 'snaptrade_user_secret'], ...secretField },
      accountId: snaptradeAccount,
    },
  },
  gateway_session: {
    noun: 'account number',
    where: 'the home uses the session of the Client Portal Gateway, so sign in on that gateway’s page first',
    again: 'Sign in on the page of the Client Portal Gateway (broker.url in gateway.yaml)',
    fields: {
      account: accountField('Account number', ['account', 'account_number', 'account_id', 'ibkr_account']),
    },
  },
  snaptrade_personal: {
    noun: 'personal SnapTrade key',
    where: 'at dashboard.snaptrade.com, for the accounts connected there',
    again: 'Create a new key at SnapTrade',
    fields: { ...snaptrade, accountId: snaptradeAccount },
  },
} as const satisfies Readonly<Record<string, CredentialText>>;

interface CredentialText {
  readonly noun: string;
  /** Tells the owner where to find the credentials. */
  readonly where: string;
  /** The owner's next step if the broker rejects the credentials. */
  readonly again: string;
  readonly fields: Readonly<Record<string, CredentialField>>;
}

export type CredentialKind = keyof typeof credentialKinds;
export const credentialKindNames = Object.keys(credentialKinds) as [CredentialKind, ...CredentialKind[]];

export type StoredCredentialsOf<K extends CredentialKind> = K extends CredentialKind
  ? { readonly [F in keyof (typeof credentialKinds)[K]['fields']]: string }
  : never;
export type StoredCredentials = StoredCredentialsOf<CredentialKind>;

export function getCredentialTexts(kind: CredentialKind): CredentialText {
  return credentialKinds[kind];
}

export function storedCredentialsSchemaFor<K extends CredentialKind>(kind: K): z.ZodType<StoredCredentialsOf<K>> {
  const fields = Object.entries(getCredentialTexts(kind).fields).map(
    ([name, { pattern, wrong }]) => [name, z.string().regex(pattern, wrong)] as const,
  );
  return z.strictObject(Object.fromEntries(fields)) as unknown as z.ZodType<StoredCredentialsOf<K>>;
}

export function isCredentialKind(credentials: 'exchange' | CredentialKind | undefined): credentials is CredentialKind {
  return credentials !== undefined && credentials !== 'exchange';
}
