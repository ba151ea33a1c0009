import { type Clock, utcSeconds } from '../../../machine/clock.ts';
import { dollars, percent } from '../../../trading/amounts.ts';
import { cents, Dec } from '../../../trading/decimal.ts';
import { type MandateSubject, mandate } from '../../../trading/kinds/mandate.ts';
import {
  checkLasting,
  checkMandate,
  type MandateEnvelope,
  type MandateRequest,
  mandateEnvelopeSchema,
} from '../../../trading/mandate/envelope.ts';
import type { Granted } from '../../../trading/mandate/granted.ts';
import { mandateFor, mandateWorst } from '../../../trading/mandate/mandate-words.ts';
import { GATEWAY_KEY, isRecurring } from '../../../trading/mandate/standing.ts';
import { nextDue } from '../../../trading/mandate/standing-due.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { Account } from '../../../trading/views.ts';
import { defined } from '../../../values/defined.ts';
import { NO_TOKEN } from '../../access.ts';
import type { Approved, Completed, Execution, Kind, Proposer } from '../../kind.ts';
import { accountShown, type BrokerOf, executionOf, refusalOf } from '../execution.ts';

/** What a mandate is completed with, and where it is kept. Everything here throws only `Refusal`s. */
export interface MandatePorts {
  /** @throws {Refusal} 422 `unknown_symbol`, 409 `account_not_connected`, and what the broker's reads throw */
  account(proposer: Proposer, account: string | undefined, symbols: readonly string[]): Promise<Account>;
  /** Digest of the rules as they are. @throws {Refusal} 403 `policy_denied` where they can't be read, or forbid mandates */
  policy(proposer: Proposer, account: Account): Promise<string>;
  /** Whether there is such a one that may be replaced. @throws {Refusal} 404 `not_found`, 409 `mandate_ended` */
  requireReplaceable(sub: string, id: string): Promise<void>;
  /** Writes it, once however often it is called. @throws {Refusal} 403 `approval_already_used`, 409 `mandate_ended` */
  grant(terms: MandateEnvelope, owner: Approved): Promise<void>;
  /** Whether it was written. */
  isGranted(sub: string, id: string): Promise<boolean>;
  /** The slippage that orders may have where nothing is said; a fraction. */
  readonly maxSlippage: string;
  readonly brokerOf: BrokerOf;
  /** Whether the owner is shown all of it: not by a binding message alone. */
  readonly isShown: boolean;
  /** Whether the gateway can order in it without a session of the owner's: standing orders need that. */
  isUnattended(proposer: Proposer, account: string | undefined): Promise<boolean>;
}

/** One mandate for more than this part of the account is worth a second look: a fraction. */
const LARGE_PART = '0.25';

/** A yes given beforehand: the gateway writes the row itself, and nobody else can. */
export function mandateKind(
  ports: MandatePorts,
  clock: Pick<Clock, 'now'>,
): Kind<MandateRequest, MandateSubject, Granted> {
  return {
    ...mandate,
    async complete(request, { proposer, subjectId, expiresAt }): Promise<Completed<MandateSubject>> {
      const now = clock.now();
      const key = requireKey(proposer, ports);
      const { environment, account: named, ...asked } = request;
      if (asked.standing !== undefined && !(await ports.isUnattended(proposer, named))) throw notUnattended();
      // What is to be placed without them is looked at as it will be: by what is kept for them, and not by their session.
      const opener = asked.standing === undefined ? proposer : { ...proposer, accessToken: NO_TOKEN };
      const account = await ports.account(opener, named, asked.symbols);
      if (environment !== undefined && environment !== account.environment) {
        throw new Refusal(
          403,
          'environment_mismatch',
          `the mandate is for a ${environment} account, and this gateway trades on a ${account.environment} account`,
          { hint: `Say ${account.environment} if that is what you want.`, fields: ['environment'] },
        );
      }
      const { max_slippage = ports.maxSlippage, not_before = utcSeconds(now) } = asked;
      const subject: MandateSubject = {
        ...asked,
        ...amountsOf(asked),
        mandate_id: mandateIdOf(subjectId),
        account: account.account,
        environment: account.environment,
        currency: 'USD',
        max_slippage,
        not_before,
        agent_jkt: asked.standing === undefined ? key : GATEWAY_KEY,
        policy: await ports.policy(proposer, account),
        approve_by: expiresAt,
      };
      try {
        checkMandate(subject);
        checkLasting(subject, now);
      } catch (error) {
        throw refusalOf(error);
      }
      if (asked.replaces !== undefined) await ports.requireReplaceable(proposer.sub, asked.replaces);
      return {
        subject,
        subjectId: subject.mandate_id,
        worstCase: {
          cash: cents(subject.max_total_notional),
          price: null,
          text: `${mandateWorst(subject)}.`,
        },
        warnings: warningsOf(subject, account),
        shows: accountShown({ account, broker: await ports.brokerOf(proposer, account.account) }),
      };
    },
    describe: (subject) => `MANDATE USD ${cents(subject.max_total_notional)} ${mandateFor(subject)}`,
    expiresAt: ({ approve_by }) => approve_by,
    fingerprint: ({ mandate_id: _, approve_by: __, not_before: ___, ...terms }) => JSON.stringify(terms),
    execute: (subject, approved) =>
      executionOf(async () => {
        const terms = termsOf(subject);
        await ports.grant(terms, approved);
        return grantedOf(terms, clock.now());
      }),
    async settle(subject, { sub }): Promise<Execution<Granted> | undefined> {
      if (!(await ports.isGranted(sub, subject.mandate_id))) return undefined;
      return { outcome: 'executed', result: grantedOf(subject, clock.now()) };
    },
    resultText: ({ mandate: id }) => `mandate ${id} is in force`,
  };
}

/** `M-` and ten characters: the same for the same person, client and key, and nobody else's. */
function mandateIdOf(subjectId: string): string {
  return `M-${subjectId.slice(3, 13)}`;
}

/** What is kept is what was approved, but for until when it could be. */
function termsOf({ approve_by: _, ...terms }: MandateSubject): MandateEnvelope {
  return mandateEnvelopeSchema.parse(terms);
}

function grantedOf({ mandate_id, replaces, standing, not_before }: MandateEnvelope, now: number): Granted {
  const { when } = standing ?? {};
  return {
    mandate: mandate_id,
    granted_at: utcSeconds(now),
    ...defined({ replaced: replaces }),
    ...(when === undefined || !isRecurring(when)
      ? {}
      : { next_at: utcSeconds(nextDue(when, Math.max(now, Date.parse(not_before)))) }),
  };
}

/** Written one way, so that what is compared and digested is the same for the same amounts. */
function amountsOf(
  asked: Pick<MandateRequest, 'max_order_notional' | 'max_day_notional' | 'max_total_notional'>,
) {
  // An amount finer than cents stays as it is, for the check to refuse.
  const written = (amount: string) => (new Dec(amount).decimalPlaces() > 2 ? amount : cents(amount));
  const { max_order_notional, max_day_notional, max_total_notional } = asked;
  return {
    max_order_notional: written(max_order_notional),
    ...(max_day_notional === undefined ? {} : { max_day_notional: written(max_day_notional) }),
    max_total_notional: written(max_total_notional),
  };
}

/** @throws {Refusal} 403 `token_not_bound`, `approval_required` */
function requireKey({ jkt }: Proposer, { isShown }: Pick<MandatePorts, 'isShown'>): string {
  if (!isShown) {
    throw new Refusal(
      403,
      'approval_required',
      'here a phone shows one line of what it approves: a mandate is more',
      {
        hint: 'Mandates need an identity provider that carries authorization details (RFC 9396).',
        challenge: {},
      },
    );
  }
  if (jkt !== undefined) return jkt;
  throw new Refusal(
    403,
    'token_not_bound',
    'a mandate is for one program’s key, and this session’s tokens are bound to none',
    {
      hint: 'Sign in by a client whose tokens are bound by DPoP (RFC 9449), then ask again.',
      challenge: {},
    },
  );
}

/** @throws {Refusal} 422 `service_not_available` */
function notUnattended(): Refusal {
  return new Refusal(
    422,
    'service_not_available',
    'this gateway opens accounts by their owner’s sign-in alone, so it can place no standing orders',
    {
      hint: 'It takes a gateway that keeps your key pair ("broker: {credentials: key_pair}" in gateway.yaml), as a home does; or place the order yourself each time, with "trade-agent schedule" and a mandate.',
    },
  );
}

function warningsOf(
  { max_total_notional: total, price, order_types, standing }: MandateSubject,
  { equity }: Account,
): string[] {
  const part = new Dec(equity).gt(0) ? new Dec(total).div(equity) : undefined;
  return [
    ...(part?.gt(LARGE_PART) ? [`${dollars(total)} is ${percent(part.toFixed(2))} of the account.`] : []),
    ...(standing === undefined ? [] : ['The gateway orders by itself: no program of yours need run.']),
    ...(price === undefined && order_types.includes('market')
      ? ['It names no prices: it may be used at whatever the market asks.']
      : []),
  ];
}
