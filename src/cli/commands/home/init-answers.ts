import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { HomeReach } from '../../../app/home/set-address.ts';
import { createPerson } from '../../../app/home/users.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { OfferedBroker, PRACTICE_BROKER } from '../../../gateway/broker/offered-brokers.ts';
import {
  type AccountLimits,
  accountLimitsSchema,
  defaultLimits,
  type Limits,
  OTHER_ACCOUNTS_KEY,
} from '../../../gateway/policy/rules.ts';
import { findHomeAddressProblem, isLocalAddress } from '../../../home/settings/home-address.ts';
import {
  DEFAULT_DIRECTORY,
  DEFAULT_PORT,
  formatListenAddress,
  type ListenAddress,
  type TailscaleMode,
} from '../../../home/settings/home-settings.ts';
import type { ChallengeType } from '../../../net/acme/challenge.ts';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../../../net/secure-url.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { Dec } from '../../../trading/decimal.ts';
import type { LimitName } from '../../../trading/limit-words.ts';
import { isRecipientKey, toRecipientKey } from '../../../trading/message.ts';
import { defined } from '../../../values/defined.ts';
import type { Context } from '../../context/context.ts';
import { type ListeningFlags, toListenOptions } from '../../options/listening.ts';
import { askYesNo, promptForChoice, promptUntilValid } from '../../terminal/questions.ts';
import type { BrokerKeyOptions } from './broker-keys.ts';

export interface ReachOptions extends Partial<ListeningFlags> {
  readonly phone?: PhonePlace;
  readonly address?: string;
  readonly listen?: ListenAddress;
  readonly agreeTos?: boolean;
  readonly acmeEmail?: string;
  readonly acmeDirectory?: string;
  readonly challenge?: ChallengeType;
  readonly yes?: boolean;
}

export interface InitOptions extends BrokerKeyOptions, ReachOptions {
  readonly name?: string;
  readonly user?: string;
  readonly email?: string;
  readonly broker?: OfferedBroker | typeof PRACTICE_BROKER;
  readonly credentials?: string;
  readonly brokerUrl?: string;
  readonly environment?: 'paper' | 'live';
  readonly maxOrder?: string;
  readonly maxDayOrders?: string;
  readonly ntfy?: string;
}

/** Default for the daily limit, as a multiple of the maximum order size. */
const DEFAULT_DAY_LIMIT_ORDERS = 5;

type PromptContext = Pick<Context, 'io' | 'signal'>;

const DEFAULT_ADDRESS = `http://localhost:${DEFAULT_PORT}`;
const PUBLIC_LISTEN = '0.0.0.0:443';

const invalidOption = (option: string, problem: string) =>
  new TradeAgentError('usage', `${option}: ${problem}`, {
    hint: 'See "trade-agent home init --help". Nothing was written.',
  });

const shouldAsk = ({ io }: PromptContext, { yes }: ReachOptions) => io.interactive && yes !== true;

/** The answers to the question where the owner's phone is, by the value of `--phone`. */
const phoneAnswers = {
  browser: `In this browser, on this machine only: ${DEFAULT_ADDRESS}`,
  funnel: 'My phone, from anywhere, through Tailscale Funnel: the phone needs no app',
  serve: 'My phone, through Tailscale Serve: only devices in my Tailscale network',
  domain: 'My phone, from anywhere, through my own domain',
  proxy: 'My phone, through my own proxy with a domain name and a certificate',
} as const;
type PhonePlace = keyof typeof phoneAnswers;
const phonePlaces = Object.keys(phoneAnswers) as PhonePlace[];

/**
 * Asks where the phone is, unless options specify it. Returns the settings through which the phone reaches the home.
 * @throws {TradeAgentError} `usage`; `not_found`, `invalid_config` if Tailscale can't be used
 */
export async function promptForPhone(context: Context, options: ReachOptions): Promise<HomeReach> {
  const place = await choosePlace(context, options);
  const given = toListenSettings(options);
  if (place === 'funnel' || place === 'serve')
    return { ...given, ...(await reachThroughTailscale(context, options, place)) };
  if (place === 'browser') return { ...given, address: DEFAULT_ADDRESS };
  const address = options.address ?? (await askAddress(context, options));
  const problem = findHomeAddressProblem(address) ?? (place === undefined ? undefined : notPublic(address));
  if (problem !== undefined) throw invalidOption('--address', problem);
  if (place !== 'domain') return { ...given, address };
  const certificate = await askCertificate(context, options, new URL(address).hostname);
  return { address, ...given, ...certificate, listen: given.listen ?? PUBLIC_LISTEN };
}

/** Asks where the phone is. @returns undefined if the options contain only the address */
async function choosePlace(context: Context, options: ReachOptions): Promise<PhonePlace | undefined> {
  const { phone, address } = options;
  if (phone === 'browser' && address !== undefined && !isLocalAddress(address)) {
    throw invalidOption('--phone', 'browser needs an address on this machine');
  }
  if (phone === 'browser' && address !== undefined) return undefined;
  if (phone !== undefined || address !== undefined) return phone;
  if (!shouldAsk(context, options)) {
    if (options.yes === true) return 'browser';
    throw invalidOption('--phone', 'is missing');
  }
  return phonePlaces[await promptForChoice(context, 'Where is your phone?', Object.values(phoneAnswers))];
}

async function reachThroughTailscale(
  context: Context,
  { address }: ReachOptions,
  mode: TailscaleMode,
): Promise<HomeReach> {
  const { findTailscale, missingFeatures, readTailscaleStatus, tailscaleName } = await import(
    '../../../app/home/tailscale.ts'
  );
  const status = await readTailscaleStatus(context, findTailscale(context));
  const found = `https://${tailscaleName(status)}`;
  if (address !== undefined && address !== found) {
    throw invalidOption('--address', `this machine's address in Tailscale is ${found}`);
  }
  context.io.talk(`Your phone reaches this home at ${found}.`);
  const missing = missingFeatures(status, mode);
  if (missing.length > 0) {
    const what = new Intl.ListFormat('en-GB').format(missing);
    context.io.talk(`Your Tailscale network does not allow ${what} yet: "home serve" shows the link that turns it on.`);
  }
  return { address: found, tailscale: mode };
}

const notPublic = (address: string) =>
  isLocalAddress(address) ? 'a phone can’t open an address on this machine' : undefined;

async function askAddress(context: PromptContext, options: ReachOptions): Promise<string> {
  if (!shouldAsk(context, options)) throw invalidOption('--address', 'is missing');
  const problemOf = (text: string) => findHomeAddressProblem(text) ?? notPublic(text);
  return await promptUntilValid(
    context,
    'Address (https://NAME): ',
    (text) => problemOf(text) === undefined,
    (text) => problemOf(text) ?? '',
  );
}

/** Asks whether the home gets its certificate itself or uses certificate files. */
async function askCertificate(
  context: Context,
  options: ReachOptions,
  host: string,
): Promise<Pick<HomeReach, 'tls' | 'acme'>> {
  if (options.tlsCert !== undefined || options.tlsKey !== undefined) return {};
  if (!shouldAsk(context, options) || isAcmeChosen(options)) return { acme: await agreeToTerms(context, options) };
  const answers = [
    'From Let’s Encrypt: free, and renewed automatically',
    'From files that I have, such as those of certbot',
  ];
  const chosen = await promptForChoice(context, `Where does the certificate for ${host} come from?`, answers);
  if (chosen === 0) return { acme: await agreeToTerms(context, options) };
  const ask = async (question: string) =>
    resolve(await promptUntilValid(context, question, existsSync, 'There is no such file.'));
  const cert = await ask('Certificate with its chain (PEM file): ');
  return { tls: { cert, key: await ask('Its private key (PEM file): ') } };
}

const isAcmeChosen = ({ agreeTos, acmeEmail, acmeDirectory, challenge }: ReachOptions) =>
  [agreeTos, acmeEmail, acmeDirectory, challenge].some((option) => option !== undefined);

/** Asks for consent to the certificate authority's terms. @throws {TradeAgentError} `usage`; `certificate_failed` */
async function agreeToTerms(context: Context, options: ReachOptions): Promise<HomeReach['acme']> {
  const { acmeDirectory: directory = DEFAULT_DIRECTORY, acmeEmail, challenge } = options;
  if (!isSecureUrl(directory)) throw invalidOption('--acme-directory', INSECURE_URL_MESSAGE);
  const asks = shouldAsk(context, options);
  if (options.agreeTos !== true && !asks)
    throw invalidOption('--agree-tos', 'is missing: without certificate files, the home gets its certificate itself');
  const { readTermsAddress } = await import('../../../net/acme/order-certificate.ts');
  const terms = await readTermsAddress(directory, context);
  const { hostname } = new URL(directory);
  if (terms !== undefined) context.io.talk(`The terms of ${hostname} are at ${safeLine(terms)}`);
  if (options.agreeTos !== true && terms !== undefined && !(await askYesNo(context, 'Do you agree to them?')))
    throw invalidOption('--phone', 'domain without certificate files needs your agreement to these terms');
  const email = acmeEmail ?? (asks ? await askContact(context, hostname) : '');
  return defined({
    terms,
    email: email || undefined,
    directory: directory === DEFAULT_DIRECTORY ? undefined : directory,
    challenge,
  });
}

async function askContact(context: PromptContext, hostname: string): Promise<string> {
  const isAddress = (text: string) => text === '' || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text);
  const question = `Email address where ${hostname} can reach you (Enter for none): `;
  return await promptUntilValid(context, question, isAddress, 'Type an address, or press Enter.');
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

/**
 * Asks for the account's limits. @param alwaysOpen whether the account's market never closes. If so, sets no hours.
 */
export async function promptForLimits(
  asking: PromptContext,
  options: InitOptions,
  alwaysOpen: boolean,
): Promise<Limits> {
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
  const { hours, ...others } = usual.accounts[OTHER_ACCOUNTS_KEY] ?? {};
  const open = alwaysOpen ? {} : defined({ hours });
  const limits = { ...others, ...open, ...ownRecipients(options), ...day, ...asked };
  return { ...usual, accounts: { [OTHER_ACCOUNTS_KEY]: limits } };
}

/** Returns the owner's own address as a known recipient of messages, if the options contain it. */
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

/** Returns home.yaml's settings `listen`, `tls` and `proxy`, if set. @throws {TradeAgentError} `usage` */
function toListenSettings({ listen, tlsCert, tlsKey, proxy = [] }: ReachOptions) {
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
