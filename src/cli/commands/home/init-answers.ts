import { createPerson } from '../../../app/home/users.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { OfferedBroker } from '../../../gateway/broker/offered-brokers.ts';
import {
  type AccountLimits,
  accountLimitsSchema,
  defaultLimits,
  type Limits,
  OTHER_ACCOUNTS_KEY,
} from '../../../gateway/policy/rules.ts';
import { findHomeAddressProblem } from '../../../home/settings/home-address.ts';
import { DEFAULT_PORT, formatListenAddress, type ListenAddress } from '../../../home/settings/home-settings.ts';
import { isSecureUrl } from '../../../net/secure-url.ts';
import { Dec } from '../../../trading/decimal.ts';
import type { LimitName } from '../../../trading/limit-words.ts';
import { isRecipientKey, toRecipientKey } from '../../../trading/message.ts';
import { defined } from '../../../values/defined.ts';
import type { Context } from '../../context/context.ts';
import { type ListeningFlags, toListenOptions } from '../../options/listening.ts';
import { promptUntilValid } from '../../terminal/questions.ts';
import type { BrokerKeyOptions } from './broker-keys.ts';

export interface InitOptions extends BrokerKeyOptions, Partial<ListeningFlags> {
  readonly address?: string;
  readonly name?: string;
  readonly user?: string;
  readonly email?: string;
  readonly broker?: OfferedBroker;
  readonly credentials?: string;
  readonly brokerUrl?: string;
  readonly environment?: 'paper' | 'live';
  readonly maxOrder?: string;
  readonly maxDayOrders?: string;
  readonly ntfy?: string;
  readonly listen?: ListenAddress;
  readonly yes?: boolean;
}

/** The default daily limit is the maximum size of an order times this number. */
const DEFAULT_DAY_LIMIT_ORDERS = 5;

type PromptContext = Pick<Context, 'io' | 'signal'>;

const DEFAULT_ADDRESS = `http://localhost:${DEFAULT_PORT}`;

const invalidOption = (option: string, problem: string) =>
  new TradeAgentError('usage', `${option}: ${problem}`, {
    hint: 'See "trade-agent home init --help". Nothing was written.',
  });

const shouldAsk = ({ io }: PromptContext, { yes }: InitOptions) => io.interactive && yes !== true;

export async function promptForAddress(asking: PromptContext, options: InitOptions): Promise<string> {
  const { address } = options;
  if (address !== undefined) {
    const problem = findHomeAddressProblem(address);
    if (problem !== undefined) throw invalidOption('--address', problem);
    return address;
  }
  if (!shouldAsk(asking, options)) {
    if (options.yes === true) return DEFAULT_ADDRESS;
    throw invalidOption('--address', 'is missing');
  }
  asking.io.talk(
    `What address should your home have?\n  https://NAME   reachable from anywhere; needs a name and a certificate (docs/guide/HOME.md)\n  Enter          ${DEFAULT_ADDRESS}, only on this machine`,
  );
  const given = await promptUntilValid(
    asking,
    `Address [${DEFAULT_ADDRESS}]: `,
    (text) => text === '' || findHomeAddressProblem(text) === undefined,
    (text) => findHomeAddressProblem(text) ?? '',
  );
  return given === '' ? DEFAULT_ADDRESS : given;
}

export async function promptForOwner(
  asking: PromptContext,
  options: InitOptions,
): Promise<ReturnType<typeof createPerson>> {
  let { name } = options;
  if (name === undefined) {
    if (!asking.io.interactive) throw invalidOption('--name', 'is missing');
    name = await promptUntilValid(
      asking,
      'Your name: ',
      (text) => text !== '',
      'Type the name that your phone should show.',
    );
  }
  return createPerson({ name, username: options.user, email: options.email });
}

export async function promptForLimits(asking: PromptContext, options: InitOptions): Promise<Limits> {
  const usual = defaultLimits();
  const { maxOrder, maxDayOrders } = options;
  const asked = {
    ...(await askLimit(asking, options, 'max_order_notional', {
      given: maxOrder,
      option: '--max-order',
      question: 'Maximum order size, in dollars',
      mustBe: 'an amount such as 2500',
      read: (text) => text,
    })),
    ...(await askLimit(asking, options, 'max_day_orders', {
      given: maxDayOrders,
      option: '--max-day-orders',
      question: 'Maximum orders per day',
      mustBe: 'a whole number such as 20',
      read: Number,
    })),
  };
  const each = asked.max_order_notional;
  const day = each === undefined ? {} : { max_day_notional: new Dec(each).times(DEFAULT_DAY_LIMIT_ORDERS).toFixed() };
  const limits = { ...usual.accounts[OTHER_ACCOUNTS_KEY], ...ownRecipients(options), ...day, ...asked };
  return { ...usual, accounts: { [OTHER_ACCOUNTS_KEY]: limits } };
}

/** Returns the owner's own address as a known recipient of messages, if it was given. */
function ownRecipients({ email }: Pick<InitOptions, 'email'>): AccountLimits {
  const key = email === undefined ? '' : toRecipientKey({ service: 'gmail', recipient: email });
  return isRecipientKey(key) ? { message_recipients: [key] } : {};
}

async function askLimit(
  asking: PromptContext,
  options: InitOptions,
  name: LimitName,
  limit: {
    readonly given: string | undefined;
    readonly option: string;
    readonly question: string;
    readonly mustBe: string;
    readonly read: (text: string) => string | number;
  },
): Promise<AccountLimits> {
  const { given, option, question, mustBe, read } = limit;
  const parsed = (text: string) => accountLimitsSchema.safeParse({ [name]: read(text) });
  if (given !== undefined) {
    const { data } = parsed(given);
    if (data === undefined) throw invalidOption(option, `must be ${mustBe}`);
    return data;
  }
  if (!shouldAsk(asking, options)) return {};
  const typed = await promptUntilValid(
    asking,
    `${question} [${defaultLimits().accounts[OTHER_ACCOUNTS_KEY]?.[name] ?? ''}]: `,
    (text) => text === '' || parsed(text).success,
    `It must be ${mustBe}.`,
  );
  return typed === '' ? {} : (parsed(typed).data ?? {});
}

/** Returns the settings `listen`, `tls` and `proxy` for home.yaml, if given. @throws {TradeAgentError} `usage` */
export function toListenSettings({ listen, tlsCert, tlsKey, proxy = [] }: InitOptions) {
  const { tls } = toListenOptions({
    ...defined({ tlsCert, tlsKey }),
    proxy,
  });
  return {
    ...(listen === undefined ? {} : { listen: formatListenAddress(listen) }),
    ...(tls === undefined ? {} : { tls: { cert: tls.certFile, key: tls.keyFile } }),
    ...(proxy.length === 0 ? {} : { proxy: [...proxy] }),
  };
}

export async function promptForNoticeChannel(asking: PromptContext, options: InitOptions) {
  const { ntfy } = options;
  if (ntfy !== undefined) {
    const channel = ntfyChannel(ntfy);
    if (channel === undefined) throw invalidOption('--ntfy', 'must be a topic, or https://SERVER/TOPIC');
    return { ntfy: channel };
  }
  if (!shouldAsk(asking, options)) return undefined;
  asking.io.talk(
    'You will get push notifications. As a fallback you can use ntfy: choose a topic name nobody could guess.',
  );
  const given = await promptUntilValid(
    asking,
    'ntfy topic (Enter for none): ',
    (text) => text === '' || ntfyChannel(text) !== undefined,
    'Type a topic of letters, digits, - and _, or https://SERVER/TOPIC.',
  );
  const channel = ntfyChannel(given);
  return channel === undefined ? undefined : { ntfy: channel };
}

function ntfyChannel(text: string): { kind: 'ntfy'; topic: string; server?: string } | undefined {
  const isTopic = (topic: string) => /^[-_A-Za-z0-9]{1,64}$/.test(topic);
  if (isTopic(text)) return { kind: 'ntfy', topic: text };
  if (!isSecureUrl(text)) return undefined;
  const { origin, pathname, search, hash } = new URL(text);
  const topic = pathname.slice(1);
  return isTopic(topic) && search + hash === '' ? { kind: 'ntfy', topic, server: origin } : undefined;
}
