import { Resolver } from 'node:dns/promises';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { ChallengeType } from './challenge.ts';

const NAMESPACE = 'urn:ietf:params:acme:error:';
const MAX_DETAIL_LENGTH = 400;
const LOOKUP_TIMEOUT_MS = 3_000;

/** A problem document of an authority (RFC 7807, RFC 8555 §6.7). */
export const problemSchema = z.object({
  type: z.string().default('about:blank'),
  detail: z.string().default(''),
  subproblems: z
    .array(z.object({ type: z.string().default(''), detail: z.string().default('') }))
    .max(100)
    .default([]),
});

/** An authority's refusal, before it is translated into a message for the owner. */
export class AcmeProblem extends Error {
  override name = 'AcmeProblem';
  /** `rateLimited` for `urn:ietf:params:acme:error:rateLimited`. */
  readonly type: string;
  readonly detail: string;
  /** How long the authority asks us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: z.output<typeof problemSchema>, retryAfterMs?: number) {
    const [first] = problem.subproblems;
    const { type, detail } = problem.detail === '' && first !== undefined ? first : problem;
    const words = safeLine(detail, MAX_DETAIL_LENGTH);
    super(words);
    this.type = actualType(type.startsWith(NAMESPACE) ? type.slice(NAMESPACE.length) : type, words);
    this.detail = words;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Returns the actual problem type. Some authorities report DNS and connection failures as a wrong answer. */
function actualType(type: string, detail: string): string {
  if (type !== 'unauthorized' && type !== 'malformed') return type;
  if (/failed to connect/i.test(detail)) return 'connection';
  return /could not resolve/i.test(detail) ? 'dns' : type;
}

/** Facts about the refused order, for the explanation. */
export interface RefusedOrder {
  /** The authority's host name. */
  readonly authority: string;
  readonly host: string;
  readonly type: ChallengeType;
  /** The local address that answers the challenge: `0.0.0.0:443`. */
  readonly answersAt: string;
}

/**
 * Explains a refusal in plain words: what the authority says, which address it tried, and what to do.
 * @param tried the address that the authority tried, if known
 */
export async function explainProblem(
  problem: AcmeProblem,
  order: RefusedOrder,
  tried?: string,
): Promise<TradeAgentError> {
  const { authority, host } = order;
  const [what, hint] = wordsFor(problem, order);
  const at = tried ?? addressIn(problem.detail);
  const facts = [
    problem.detail === '' ? problem.type : `"${problem.detail}"`,
    ...(at === undefined ? [] : [`it tried ${at}`]),
    ...(CHALLENGE_PROBLEMS.has(problem.type) ? [await describeRecords(host)] : []),
  ];
  return new TradeAgentError(
    'certificate_failed',
    `${authority} issued no certificate: ${what} (${facts.join('; ')})`,
    {
      hint,
      cause: problem,
      details: { problem: problem.type, host },
    },
  );
}

const CHALLENGE_PROBLEMS: ReadonlySet<string> = new Set([
  'connection',
  'dns',
  'unauthorized',
  'incorrectResponse',
  'tls',
  'malformed',
]);

function wordsFor({ type }: AcmeProblem, { host, type: challenge, answersAt }: RefusedOrder): [string, string] {
  const port = challenge === 'http-01' ? 80 : 443;
  const other =
    challenge === 'http-01' ? 'tls-alpn-01, which needs only port 443' : 'http-01, which needs only port 80';
  const elsewhere = `Another machine or program answers for ${host}. Point its A and AAAA records to your own public address (no record is better than a wrong AAAA), and forward port ${port} to this machine (${answersAt}).`;
  switch (type) {
    case 'connection':
      return [
        `it can't connect to ${host} on port ${port}`,
        `Forward port ${port} of your router to this machine (${answersAt}), allow it in the firewall, and check that the provider does not block it. Or set "acme.challenge" in home.yaml to ${other}.`,
      ];
    case 'dns':
      return [
        `it can't find the address of ${host}`,
        `Create an A record (for IPv6, AAAA) that points ${host} to your public address. New records can take some minutes.`,
      ];
    case 'unauthorized':
    case 'incorrectResponse':
    case 'malformed':
      return [`something other than this home answered for ${host}`, elsewhere];
    case 'tls':
      return [`the TLS handshake with ${host} failed`, `${elsewhere} A proxy in between must pass TLS through.`];
    case 'caa':
      return [
        `the domain's CAA records do not allow it to issue for ${host}`,
        'Add a CAA record that allows this authority, or remove the others.',
      ];
    case 'rateLimited':
      return ['too many certificates or failed attempts', 'Wait: the home tries again when the authority allows it.'];
    case 'rejectedIdentifier':
    case 'unsupportedIdentifier':
      return [
        `it does not issue for ${host}`,
        'Use another name, or another authority ("acme.directory" in home.yaml).',
      ];
    case 'userActionRequired':
      return [
        'its terms have changed, and you must agree to them',
        'Read the new terms, then run "trade-agent home address set" again and agree to them.',
      ];
    case ACCOUNT_UNAUTHORIZED:
    case 'accountDoesNotExist':
      return [
        "it no longer accepts this home's account",
        'If you did not deactivate it, ask the authority why. To register another account, remove acme.json in the home’s folder.',
      ];
    case 'externalAccountRequired':
      return [
        'it issues only to accounts that were opened elsewhere (external account binding)',
        'Use another authority ("acme.directory" in home.yaml), or certificate files ("tls").',
      ];
    case 'invalidContact':
    case 'unsupportedContact':
      return ['it does not accept the email address', 'Change or remove "acme.email" in home.yaml.'];
    default:
      return ['it reports an error', 'Try again later. If this continues, look at the status page of the authority.'];
  }
}

/**
 * Our problem type for a request that the authority refused as `unauthorized`: the account is not valid, or no longer
 * valid. A failed challenge keeps the type `unauthorized`.
 */
export const ACCOUNT_UNAUTHORIZED = 'account:unauthorized';

/** Returns the address in texts such as `203.0.113.7: Fetching …` and `Failed to connect to 203.0.113.7:443 …`. */
function addressIn(detail: string): string | undefined {
  return (
    /^([0-9.]{7,15}|[0-9a-f:]{3,45}):\s/i.exec(detail)?.[1] ??
    /(?:dial tcp|connect to) ([0-9a-f.:[\]]+[0-9])/i.exec(detail)?.[1]
  );
}

/** Describes the addresses that this machine's name servers return for a host. The authority may see other records. */
async function describeRecords(host: string): Promise<string> {
  const resolver = new Resolver({ timeout: LOOKUP_TIMEOUT_MS, tries: 1 });
  const found = await Promise.all(
    [resolver.resolve4(host), resolver.resolve6(host)].map((lookup) => lookup.catch(() => [])),
  );
  const addresses = found.flat();
  return addresses.length === 0 ? `from here, ${host} has no address` : `from here, ${host} is ${addresses.join(', ')}`;
}
