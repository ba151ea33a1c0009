import { randomInt } from 'node:crypto';
import { generateUnusedCode } from '../../../approval/kernel/propose.ts';
import type { ApprovalKeys } from '../../../approval/keys/approval-keys.ts';
import type { Clock } from '../../../machine/clock.ts';
import { isSameSecret } from '../../../secrets/constant-time.ts';
import { normalizeCode } from '../../../store/home/recovery-codes.ts';
import { one, run, type SqlTransactions, type TransactionWork } from '../../../store/sql/sql-database.ts';
import { Dec } from '../../../trading/decimal.ts';
import type { ApprovalRequest, ApprovalRequests } from '../../identity-provider/approval-requests.ts';
import type { DecisionRecorder } from '../../identity-provider/deliver-decision.ts';
import { lastFourCharacters, requestView } from './request-view.ts';
import type { AccountAfterFill } from './result-panel.ts';

const DEFAULT_HOLD_ABOVE = '1000';
const MAX_LIVE_SIGN_IN_AGE_MS = 10 * 60 * 1000;

export interface Approver {
  readonly user: string;
  readonly session: string;
  /** Time when the approver signed in on this browser, in milliseconds since the epoch. */
  readonly signedInAt: number;
}

/** A required step that the person has not taken yet. Without it, the approval is rejected. */
export interface IncompleteStep {
  readonly code: 'no_code' | 'wrong_code' | 'wrong_code_too_often' | 'sign_in' | 'not_confirmed';
  readonly title: string;
  readonly text: string;
}

/**
 * The steps before an approval, in addition to signing: choosing the terminal's code and, for real money, signing in
 * recently and typing a word once. The server enforces the steps, so that no page can skip a step.
 */
type ApprovalSteps = ReturnType<typeof createApprovalSteps>;

export interface DecisionServices {
  readonly keys: ApprovalKeys;
  readonly requests: ApprovalRequests;
  readonly steps: ApprovalSteps;
  readonly signatures: 'required' | 'off';
  readonly decide: DecisionRecorder;
  /** Returns the account after a fill. Undefined if the provider runs without a gateway. */
  readonly accountAfter?: ((request: ApprovalRequest) => Promise<AccountAfterFill | undefined>) | undefined;
}

const unmetSteps = {
  no_code: { title: 'Pick the code', text: 'Pick the code that your terminal shows, then approve.' },
  wrong_code: {
    title: 'Wrong code',
    text: 'Your terminal shows a different code. Another wrong pick denies the request.',
  },
  wrong_code_too_often: {
    title: 'Denied',
    text: 'The wrong code was picked twice. If this was your request, send it again.',
  },
  sign_in: {
    title: 'Sign in again',
    text: 'This is real money, and you signed in more than ten minutes ago.',
  },
  not_confirmed: {
    title: 'Not confirmed',
    text: 'This is real money. Type LIVE, or the last four characters of the account, then approve.',
  },
} as const;

type CodeProblem = Extract<IncompleteStep['code'], `${string}code${string}`>;

const typedCodeProblems: Readonly<Record<CodeProblem, Pick<IncompleteStep, 'title' | 'text'>>> = {
  no_code: { title: 'Type the code', text: 'Type the code that the agent shows you, then approve.' },
  wrong_code: {
    title: 'Wrong code',
    text: 'The agent shows a different code. The third wrong code denies the request.',
  },
  wrong_code_too_often: {
    title: 'Denied',
    text: 'A wrong code was typed three times. If this was your request, send it again.',
  },
};

export function createApprovalSteps(options: {
  readonly database: SqlTransactions;
  readonly clock: Clock;
  readonly numberMatching: NumberMatching;
  /** For real money, the dollar amount from which the Approve button must be pressed and held, or `off`. */
  readonly holdAbove?: string | undefined;
}) {
  const { database, clock, numberMatching, holdAbove = DEFAULT_HOLD_ABOVE } = options;
  const choices = createCodeChoices(database, clock);
  const confirmations = createLiveConfirmations(database, clock);
  const matches = (request: ApprovalRequest) => hidesCode(request, numberMatching);
  const hindered = (code: IncompleteStep['code']): IncompleteStep => ({ code, ...unmetSteps[code] });
  const codeHindrance = (request: ApprovalRequest, code: CodeProblem): IncompleteStep => ({
    code,
    ...(mustTypeCode(request) ? typedCodeProblems : unmetSteps)[code],
  });
  /** Compares the code that the person chose or typed. Remembers the session in which the code was correct. */
  const takeCode = async (
    request: ApprovalRequest,
    session: string,
    given = '',
  ): Promise<IncompleteStep | undefined> => {
    if (given === '') return codeHindrance(request, 'no_code');
    const result = await choices.pick(request, session, given);
    return result === 'right' ? undefined : codeHindrance(request, result);
  };

  const check = async (
    request: ApprovalRequest,
    { user, session, signedInAt }: Approver,
  ): Promise<IncompleteStep | undefined> => {
    const view = requestView(request);
    if (matches(request)) {
      if (await choices.isSpent(request)) return codeHindrance(request, 'wrong_code_too_often');
      if (!(await choices.isPicked(request.id, session))) return codeHindrance(request, 'no_code');
    }
    if (!view.live) return undefined;
    if (clock.now() - signedInAt > MAX_LIVE_SIGN_IN_AGE_MS) return hindered('sign_in');
    return (await confirmations.has(user, view.account ?? '')) ? undefined : hindered('not_confirmed');
  };

  return {
    /** Returns the codes to choose from, `typed` if the code must be typed, or undefined if the card shows the code. */
    codes: async (request: ApprovalRequest, session: string): Promise<readonly string[] | 'typed' | undefined> => {
      if (mustTypeCode(request)) return 'typed';
      return matches(request) ? await choices.of(request, session) : undefined;
    },
    /**
     * Checks a typed code, for a client that shows no page. A request whose code need not be typed always passes.
     * @param client identifies the client, in place of a session
     */
    takeTypedCode: async (request: ApprovalRequest, client: string, typed: string | undefined) =>
      mustTypeCode(request) && request.status === 'pending' ? await takeCode(request, client, typed) : undefined,
    /** Returns whether the Approve button must be pressed and held. Only the page knows how it was pressed. */
    wantsHold(request: ApprovalRequest): boolean {
      const { live, cash } = requestView(request);
      if (!live || cash === undefined || holdAbove === 'off') return false;
      return cash === null || new Dec(cash).gte(holdAbove);
    },
    async wantsConfirmation(request: ApprovalRequest, user: string): Promise<boolean> {
      const { live, account = '' } = requestView(request);
      return live && !(await confirmations.has(user, account));
    },
    async take(
      request: ApprovalRequest,
      approver: Approver,
      { match, confirm = '' }: { readonly match: string | undefined; readonly confirm: string | undefined },
    ): Promise<IncompleteStep | undefined> {
      const view = requestView(request);
      if (matches(request)) {
        const hindrance = await takeCode(request, approver.session, match);
        if (hindrance !== undefined) return hindrance;
      }
      const typed = confirm.trim().toUpperCase();
      const right = ['LIVE', lastFourCharacters(view.account)?.toUpperCase()];
      if (view.live && typed !== '' && right.includes(typed)) {
        await confirmations.keep(approver.user, view.account ?? '');
      }
      return await check(request, approver);
    },
    check,
    /** Returns why a request was denied if the person did not tap Deny. */
    whyDenied: async (request: ApprovalRequest): Promise<string | undefined> =>
      request.status === 'denied' && (await choices.isSpent(request))
        ? codeHindrance(request, 'wrong_code_too_often').text
        : undefined,
  };
}

/** Records the person's confirmation, required once per account, that the account trades real money. */
function createLiveConfirmations(database: SqlTransactions, clock: Clock) {
  return {
    async has(user: string, account: string): Promise<boolean> {
      const row = await database.one('SELECT 1 FROM live_confirmations WHERE username = @user AND account = @account', {
        user,
        account,
      });
      return row !== undefined;
    },
    async keep(user: string, account: string): Promise<void> {
      await database.run(
        `INSERT INTO live_confirmations (username, account, confirmed_at) VALUES (@user, @account, @now)
         ON CONFLICT DO NOTHING`,
        { user, account, now: clock.now() },
      );
    },
  };
}

/** When the person must choose the terminal's code from three codes instead of seeing it on the card. */
export type NumberMatching = 'live' | 'always' | 'off';

/** Returns whether the gateway requires the person to type this request's code, regardless of the home's setting. */
export function mustTypeCode({ details }: Pick<ApprovalRequest, 'details'>): boolean {
  return details.code_entry !== undefined;
}

/** Returns whether the person must choose or type the code. If so, neither the card nor a lock screen may reveal it. */
export function hidesCode(request: Pick<ApprovalRequest, 'details'>, matching: NumberMatching): boolean {
  return mustTypeCode(request) || matching === 'always' || (matching === 'live' && requestView(request).live);
}

const CODE_CHOICES = 3;
/** The second wrong choice denies the request, because one in three guesses is correct. */
const MAX_WRONG_PICKS = 2;
/** The third wrong typed code denies the request. People mistype, but only one in a million guesses is correct. */
const MAX_WRONG_TYPED_CODES = 3;
const maxWrongCodes = (request: Pick<ApprovalRequest, 'details'>) =>
  mustTypeCode(request) ? MAX_WRONG_TYPED_CODES : MAX_WRONG_PICKS;
/** Retention time of the codes to choose from, in milliseconds. It is longer than any request's lifetime. */
const CHOICE_RETENTION_MS = 2 * 24 * 3600 * 1000;

type MatchedRequest = Pick<ApprovalRequest, 'id' | 'code' | 'details'>;

/**
 * Implements number matching: the person chooses the terminal's code from three codes, which requires attention. The
 * wrong codes are generated only once per request and session. Otherwise, a reload would show which code stays the
 * same.
 */
function createCodeChoices(database: SqlTransactions, clock: Clock) {
  const read = (id: string, session: string) =>
    one<{ codes: string; picked: 0 | 1 }>(
      'SELECT codes, picked FROM code_choices WHERE request = @id AND session = @session',
      { id, session },
    );
  /** Stores the codes, unless the session already has codes. */
  function* draw({ id, code }: MatchedRequest, session: string, picked: 0 | 1): TransactionWork<number> {
    const now = clock.now();
    yield* run('DELETE FROM code_choices WHERE drawn_at < @before', { before: now - CHOICE_RETENTION_MS });
    return yield* run(
      `INSERT INTO code_choices (request, session, codes, picked, drawn_at)
       VALUES (@id, @session, @codes, @picked, @now) ON CONFLICT DO NOTHING`,
      { id, session, codes: JSON.stringify(shuffled(code)), picked, now },
    );
  }
  function* wrongPicks(id: string): TransactionWork<number> {
    const row = yield* one<{ count: number }>('SELECT count FROM wrong_codes WHERE request = @id', { id });
    return row?.count ?? 0;
  }
  const isSpent = async (request: Pick<MatchedRequest, 'id' | 'details'>) =>
    (await database.read(() => wrongPicks(request.id))) >= maxWrongCodes(request);

  return {
    /** Returns the codes in the order in which they are displayed, which never changes. */
    async of(request: MatchedRequest, session: string): Promise<readonly string[]> {
      const drawn =
        (await database.read(() => read(request.id, session))) ??
        (await database.write(function* () {
          yield* draw(request, session, 0);
          return yield* read(request.id, session);
        }));
      return JSON.parse(drawn?.codes ?? '[]');
    },
    /** Records a choice. Wrong choices are counted per request, across all sessions. */
    pick: (
      request: MatchedRequest,
      session: string,
      picked: string,
    ): Promise<'right' | 'wrong_code' | 'wrong_code_too_often'> =>
      database.write(function* () {
        const { id, code } = request;
        const most = maxWrongCodes(request);
        if ((yield* wrongPicks(id)) >= most) return 'wrong_code_too_often';
        if (isSameSecret(normalizeCode(picked), code)) {
          yield* draw(request, session, 1);
          yield* run('UPDATE code_choices SET picked = 1 WHERE request = @id AND session = @session', { id, session });
          return 'right';
        }
        const counted = yield* one<{ count: number }>(
          `INSERT INTO wrong_codes (request, count) VALUES (@id, 1)
           ON CONFLICT (${database.dialect.tenant}request) DO UPDATE SET count = wrong_codes.count + 1 RETURNING count`,
          { id },
        );
        return (counted?.count ?? most) >= most ? 'wrong_code_too_often' : 'wrong_code';
      }),
    async isPicked(id: string, session: string): Promise<boolean> {
      return (await database.read(() => read(id, session)))?.picked === 1;
    },
    isSpent,
  };
}

/** Returns the correct code at a random position among other, distinct codes. */
function shuffled(code: string): string[] {
  const codes: string[] = [];
  while (codes.length < CODE_CHOICES - 1) codes.push(generateUnusedCode([code, ...codes]));
  codes.splice(randomInt(CODE_CHOICES), 0, code);
  return codes;
}
