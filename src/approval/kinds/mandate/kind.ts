import { type Clock, formatUtcSeconds } from '../../../machine/clock.ts';
import { formatDollarAmount, formatPercent } from '../../../trading/amounts.ts';
import { Dec, toCents } from '../../../trading/decimal.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { type MandateSubject, mandate } from '../../../trading/kinds/mandate.ts';
import { nextDueTime } from '../../../trading/mandate/due-times.ts';
import {
  checkMandate,
  checkMandateLifetime,
  type MandateEnvelope,
  type MandateRequest,
  mandateEnvelopeSchema,
} from '../../../trading/mandate/envelope.ts';
import type { MandateResult } from '../../../trading/mandate/granted.ts';
import { describeCoveredOrders, mandateHeadline } from '../../../trading/mandate/mandate-words.ts';
import { GATEWAY_THUMBPRINT_PLACEHOLDER, isRecurring } from '../../../trading/mandate/standing-order.ts';
import type { Account } from '../../../trading/views.ts';
import { defined } from '../../../values/defined.ts';
import { NO_TOKEN } from '../../access.ts';
import type { Approval, CompletedRequest, ExecutionOutcome, Kind, Proposer } from '../../kind.ts';
import { type FindBrokerName, toDisplayedAccount, toExecution, toHttpProblem } from '../execution.ts';

/** The gateway services that complete and store mandates. All methods throw only `HttpProblem`s. */
export interface MandatePorts {
  /**
   * Returns the account, which must be able to trade the symbols.
   * @throws {HttpProblem} 422 `unknown_symbol`, 409 `account_not_connected`, and any error from requests to the broker
   */
  account(proposer: Proposer, account: string | undefined, symbols: readonly string[]): Promise<Account>;
  /** Returns the rules' digest. @throws {HttpProblem} 403 `policy_denied` if they are unreadable or forbid mandates */
  policy(proposer: Proposer, account: Account): Promise<string>;
  /** Requires that this mandate can be replaced. @throws {HttpProblem} 404 `not_found`, 409 `mandate_ended` */
  requireReplaceable(sub: string, id: string): Promise<void>;
  /** Stores the mandate once. @throws {HttpProblem} 403 `approval_already_used`, 409 `mandate_ended` */
  grant(terms: MandateEnvelope, owner: Approval): Promise<void>;
  isGranted(sub: string, id: string): Promise<boolean>;
  /** The default slippage of orders, as a fraction. */
  readonly maxSlippage: string;
  readonly brokerOf: FindBrokerName;
  /** Whether the phone shows the owner all terms, and not only a binding message. */
  readonly isShown: boolean;
  /** Returns whether the gateway can trade in the account without the owner's session, as standing orders require. */
  isUnattended(proposer: Proposer, account: string | undefined): Promise<boolean>;
}

/** A mandate for more than this fraction of the account gets a warning. */
const LARGE_FRACTION = '0.25';

/** Returns the kind of proposal that creates a mandate. Only the gateway itself can write a mandate's row. */
export function mandateKind(
  ports: MandatePorts,
  clock: Pick<Clock, 'now'>,
): Kind<MandateRequest, MandateSubject, MandateResult> {
  return {
    ...mandate,
    async complete(request, { proposer, subjectId, expiresAt }): Promise<CompletedRequest<MandateSubject>> {
      const now = clock.now();
      const key = requireBoundKey(proposer, ports);
      const { environment, account: named, ...asked } = request;
      if (asked.standing !== undefined && !(await ports.isUnattended(proposer, named))) throw needsUnattendedAccess();
      // Standing orders are placed without the owner's session, so the account is also opened with stored credentials
      // here.
      const opener = asked.standing === undefined ? proposer : { ...proposer, accessToken: NO_TOKEN };
      const account = await ports.account(opener, named, asked.symbols);
      if (environment !== undefined && environment !== account.environment) {
        throw new HttpProblem(
          403,
          'environment_mismatch',
          `the mandate is for a ${environment} account, but this gateway trades on a ${account.environment} account`,
          { hint: `Use ${account.environment} if that is what you want.`, fields: ['environment'] },
        );
      }
      const { max_slippage = ports.maxSlippage, not_before = formatUtcSeconds(now) } = asked;
      const subject: MandateSubject = {
        ...asked,
        ...normalizedAmounts(asked),
        mandate_id: deriveMandateId(subjectId),
        account: account.account,
        environment: account.environment,
        currency: 'USD',
        max_slippage,
        not_before,
        agent_jkt: asked.standing === undefined ? key : GATEWAY_THUMBPRINT_PLACEHOLDER,
        policy: await ports.policy(proposer, account),
        approve_by: expiresAt,
      };
      try {
        checkMandate(subject);
        checkMandateLifetime(subject, now);
      } catch (error) {
        throw toHttpProblem(error);
      }
      if (asked.replaces !== undefined) await ports.requireReplaceable(proposer.sub, asked.replaces);
      return {
        subject,
        subjectId: subject.mandate_id,
        worstCase: {
          cash: toCents(subject.max_total_notional),
          price: null,
          text: `${mandateHeadline(subject)}.`,
        },
        warnings: mandateWarnings(subject, account),
        shows: toDisplayedAccount({ account, broker: await ports.brokerOf(proposer, account.account) }),
      };
    },
    describe: (subject) => `MANDATE USD ${toCents(subject.max_total_notional)} ${describeCoveredOrders(subject)}`,
    expiresAt: ({ approve_by }) => approve_by,
    fingerprint: ({ mandate_id: _, approve_by: __, not_before: ___, ...terms }) => JSON.stringify(terms),
    execute: (subject, approved) =>
      toExecution(async () => {
        const terms = storedTerms(subject);
        await ports.grant(terms, approved);
        return toGranted(terms, clock.now());
      }),
    async settle(subject, { sub }): Promise<ExecutionOutcome<MandateResult> | undefined> {
      if (!(await ports.isGranted(sub, subject.mandate_id))) return undefined;
      return { outcome: 'executed', result: toGranted(subject, clock.now()) };
    },
    resultText: ({ mandate: id }) => `mandate ${id} is active`,
  };
}

/** Returns `M-` and ten characters, derived from the person, the client and the key. */
function deriveMandateId(subjectId: string): string {
  return `M-${subjectId.slice(3, 13)}`;
}

function storedTerms({ approve_by: _, ...terms }: MandateSubject): MandateEnvelope {
  return mandateEnvelopeSchema.parse(terms);
}

function toGranted({ mandate_id, replaces, standing, not_before }: MandateEnvelope, now: number): MandateResult {
  const { when } = standing ?? {};
  return {
    mandate: mandate_id,
    granted_at: formatUtcSeconds(now),
    ...defined({ replaced: replaces }),
    ...(when === undefined || !isRecurring(when)
      ? {}
      : { next_at: formatUtcSeconds(nextDueTime(when, Math.max(now, Date.parse(not_before)))) }),
  };
}

/** Returns the amounts in a uniform format, so that equal amounts have equal digests. */
function normalizedAmounts(
  asked: Pick<MandateRequest, 'max_order_notional' | 'max_day_notional' | 'max_total_notional'>,
) {
  // An amount with fractions of a cent is not changed, so that `checkMandate` refuses it.
  const written = (amount: string) => (new Dec(amount).decimalPlaces() > 2 ? amount : toCents(amount));
  const { max_order_notional, max_day_notional, max_total_notional } = asked;
  return {
    max_order_notional: written(max_order_notional),
    ...(max_day_notional === undefined ? {} : { max_day_notional: written(max_day_notional) }),
    max_total_notional: written(max_total_notional),
  };
}

/** @throws {HttpProblem} 403 `token_not_bound`, `approval_required` */
function requireBoundKey({ jkt }: Proposer, { isShown }: Pick<MandatePorts, 'isShown'>): string {
  if (!isShown) {
    throw new HttpProblem(
      403,
      'approval_required',
      'the phone can show only one line here, which is not enough to approve a mandate',
      {
        hint: 'Mandates need an identity provider that supports authorization details (RFC 9396).',
        challenge: {},
      },
    );
  }
  if (jkt !== undefined) return jkt;
  throw new HttpProblem(
    403,
    'token_not_bound',
    'a mandate is for one program’s key, but this session’s tokens are not bound to a key',
    {
      hint: 'Sign in with a client that uses DPoP-bound tokens (RFC 9449), then try again.',
      challenge: {},
    },
  );
}

function needsUnattendedAccess(): HttpProblem {
  return new HttpProblem(
    422,
    'service_not_available',
    'this gateway can only access accounts through their owner’s sign-in, so it can’t place standing orders',
    {
      hint: 'Use a gateway that stores your key pair ("broker: {credentials: key_pair}" in gateway.yaml), such as a home, or place the order yourself each time with "trade-agent schedule" and a mandate.',
    },
  );
}

function mandateWarnings(
  { max_total_notional: total, price, order_types, standing }: MandateSubject,
  { equity }: Account,
): string[] {
  const part = new Dec(equity).gt(0) ? new Dec(total).div(equity) : undefined;
  return [
    ...(part?.gt(LARGE_FRACTION)
      ? [`${formatDollarAmount(total)} is ${formatPercent(part.toFixed(2))} of the account.`]
      : []),
    ...(standing === undefined
      ? []
      : ['The gateway places the orders itself, even when none of your programs is running.']),
    ...(price === undefined && order_types.includes('market')
      ? ['This mandate sets no price limits: orders can trade at any market price.']
      : []),
  ];
}
