import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { noticesSchema } from '../../config/notice-channels.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { peerList } from '../../net/peer-list.ts';
import { INSECURE_URL, isSecureUrl } from '../../net/secure-url.ts';
import { isRedirect } from '../identity-provider/authorization/public-client.ts';
import {
  clientId,
  clientKeys,
  firstTwice,
  hasOneKeySource,
  namesEachOnce,
  ONE_KEY_SOURCE,
} from './client-settings.ts';
import { companiesSchema } from './company-settings.ts';
import { homeAddressProblem, isLocalAddress } from './home-address.ts';

/** Where a home listens where nothing else is said: behind what `tailscale serve` or a proxy passes on. */
export const DEFAULT_PORT = 4780;

const wholePath = z.string().refine(isAbsolute, 'must be a whole path, from / on');

/** `127.0.0.1:4780`, `[::1]:4780` */
const listenAddress = z
  .string()
  .refine((text) => listenParts(text) !== undefined, 'must be HOST:PORT, as in 127.0.0.1:4780');

const knownClientSchema = z.strictObject({
  client_id: clientId,
  /** As the page that asks shows it. */
  name: z.string().min(1).max(60),
  redirect_uris: z
    .array(z.string().refine(isRedirect, 'must be https, http at localhost, or an app’s own scheme'))
    .min(1)
    .max(20),
});

const serverSchema = z
  .strictObject({
    client_id: clientId,
    /** Its public address, to the letter as people name it: what sign-ins there are for (RFC 8707). */
    address: z
      .string()
      .refine(
        (text) => isSecureUrl(text) && new URL(text).origin === text,
        'must be an https address with nothing behind it, as in https://agent.example',
      ),
    ...clientKeys,
  })
  .refine(hasOneKeySource, ONE_KEY_SOURCE);

/** Shared Signals: where Security Event Tokens are pushed to (RFC 8935), and their `aud`. */
const receiverSchema = z.strictObject({
  endpoint: z.string().refine(isSecureUrl, INSECURE_URL),
  audience: z.string().min(1).max(255),
});

/** `push` of home.yaml: how phones ring. */
const pushSettingsSchema = z.lazy(() =>
  z.strictObject({
    /** What a lock screen may show: the order, or only that there is one. */
    content: z.enum(['full', 'short']).optional(),
    /** When the owner is told by `notices`, too: where no push got through, or always. */
    notices: z.enum(['fallback', 'always']).optional(),
    /** Whether people are told what was filled of their orders: they are, unless it is false. */
    fills: z.boolean().optional(),
    /** Whom a push service may write to where something is wrong (RFC 8292 §2.1). */
    contact: z
      .string()
      .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/, 'must be mailto:… or https://…')
      .optional(),
  }),
);

/** What `home.yaml` says: everything about a home that is not secret, but for what its gateway serves. */
export const homeSettingsSchema = z
  .strictObject({
    /** Its one public address: issuer of tokens, resource of the gateway, and where the phone app is. */
    address: z.string().superRefine((text, context) => {
      const problem = homeAddressProblem(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    }),
    listen: listenAddress.optional(),
    /** Its own certificate and key (PEM), read again when they are renewed. */
    tls: z.strictObject({ cert: wholePath, key: wholePath }).optional(),
    /** The proxies in front of it: addresses and networks that alone may connect, and whose word about the client is taken. */
    proxy: z.array(z.string()).min(1).superRefine(namesProxies).optional(),
    push: pushSettingsSchema.optional(),
    /** When the terminal's code is picked among three on the phone, rather than compared; with live money where nothing is said. */
    number_matching: z.enum(['live', 'always', 'off']).optional(),
    /** Programs that are known beforehand by an id of one's own choice, where one neither says who it is nor registers itself. */
    clients: z.array(knownClientSchema).min(1).max(50).superRefine(namesEachOnce).optional(),
    /** Servers that run the agent for people of this home (`trade-agent server`), which sign in at them. */
    servers: z.array(serverSchema).min(1).max(20).superRefine(namesEachOnce).optional(),
    /** Companies whose people sign in here by what their company's identity provider says (ID-JAG). */
    companies: companiesSchema.optional(),
    /** Who is told when a person's sign-in here ends, or their passkeys change. */
    signals: z.strictObject({ receivers: z.array(receiverSchema).min(1).max(20) }).optional(),
    /** How the owner is told where no push arrives; as `notices` of a profile. */
    notices: noticesSchema.optional(),
  })
  .superRefine(namesNobodyTwice)
  .refine(({ address, tls }) => tls === undefined || !isLocalAddress(address), {
    path: ['tls'],
    error: 'is for a home at an https address',
  });
export type HomeSettings = z.output<typeof homeSettingsSchema>;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Undefined for what is no `HOST:PORT`. */
export function listenParts(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined;
  return { host, port };
}

export function listenText({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where a home listens: as the settings say, else on this machine alone, at a local address's own port. */
export function listenOf({ address, listen }: Pick<HomeSettings, 'address' | 'listen'>): ListenAddress {
  const said = listen === undefined ? undefined : listenParts(listen);
  if (said !== undefined) return said;
  const port = isLocalAddress(address) ? Number(new URL(address).port || 80) : DEFAULT_PORT;
  return { host: '127.0.0.1', port };
}

/** Who may connect where nothing else is said: a proxy on this machine, where the address is one that others reach. */
export function proxiesOf({ address, tls, proxy, listen }: HomeSettings): readonly string[] | undefined {
  if (proxy !== undefined || tls !== undefined || isLocalAddress(address)) return proxy;
  const { host } = listenOf({ address, listen });
  return host === '127.0.0.1' || host === '::1' ? ['127.0.0.1', '::1'] : undefined;
}

/** Tokens for a server must not be anybody else's as well, and each client is one party's alone. */
function namesNobodyTwice(
  { address, clients = [], servers = [], companies = [] }: Named,
  context: z.RefinementCtx,
): void {
  const issue = (name: string, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  const place = firstTwice([address, ...servers.map((server) => server.address)]);
  if (place !== undefined) issue('servers', `${place} is the address of two`);
  const both = servers.find((server) => clients.some((client) => client.client_id === server.client_id));
  if (both !== undefined) issue('servers', `${both.client_id} is among "clients" already`);
  for (const { issuer, clients: theirs } of companies) {
    if (issuer === address) issue('companies', `${issuer} is this home itself`);
    for (const [name, ours] of Object.entries({ clients, servers })) {
      const taken = theirs.find(({ client_id }) => ours.some((one) => one.client_id === client_id));
      if (taken !== undefined) issue('companies', `${taken.client_id} is among "${name}" already`);
    }
  }
}

interface Named {
  readonly address: string;
  readonly clients?: readonly z.output<typeof knownClientSchema>[] | undefined;
  readonly servers?: readonly z.output<typeof serverSchema>[] | undefined;
  readonly companies?: z.output<typeof companiesSchema> | undefined;
}

function namesProxies(addresses: readonly string[], context: z.RefinementCtx): void {
  try {
    peerList(addresses);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    context.addIssue({ code: 'custom', message: `${error.message}. ${error.hint ?? ''}` });
  }
}
