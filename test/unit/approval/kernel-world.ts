import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { AccessControl } from '../../../src/approval/access.ts';
import { AuditSequencer } from '../../../src/approval/audit-sequencer.ts';
import type { CibaPort, CibaRequest, Outcome, PollResult } from '../../../src/approval/ciba/ciba-port.ts';
import { buildCibaRequest } from '../../../src/approval/ciba-request.ts';
import { proposalDigest } from '../../../src/approval/details.ts';
import { ApprovalKernel } from '../../../src/approval/kernel/kernel.ts';
import { generateProposalCode, generateProposalId, type ProposalCaller } from '../../../src/approval/kernel/propose.ts';
import { defaultQuotas } from '../../../src/approval/kernel/quotas.ts';
import type { KernelDeps } from '../../../src/approval/kernel-deps.ts';
import type { Approval, ExecutionOutcome, Kind, Proposer } from '../../../src/approval/kind.ts';
import { liftKind } from '../../../src/approval/kinds/lift/kind.ts';
import { NotificationTokens } from '../../../src/approval/notification-tokens.ts';
import { deriveReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { ProposalTransitions, proposalAuditFacts } from '../../../src/approval/transitions.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { createTokenSeal } from '../../../src/secrets/token-seal.ts';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { createAuthReqIdSeal } from '../../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { isSettledState, type ProposalState, proposalRequestSchema } from '../../../src/trading/proposal.ts';
import { writtenLines } from '../../fixtures/record-lines.ts';
import { VirtualClock } from '../../virtual-clock.ts';

/** `approved` is answered with a token of that very proposal, good for five minutes. */
export type Answer =
  | PollResult
  | 'approved'
  | ((signal: AbortSignal, onSend: () => void) => Promise<PollResult | 'approved'>);

interface Subject {
  readonly qty: string;
  readonly client_order_id: string;
  readonly expires_at: string;
  readonly mandate?: string | undefined;
}

type Step = ExecutionOutcome<unknown> | ((subject: Subject, approved: Approval) => Promise<ExecutionOutcome<unknown>>);

export interface WorldOptions {
  readonly answers?: Answer[];
  readonly delivery?: 'poll' | 'ping';
  /** Seconds. */
  readonly interval?: number;
  readonly details?: 'rar' | 'message';
  /** Codes to be drawn first; then they are drawn at random. */
  /** What looks at each approval's signature; without it none is asked for. */
  readonly signatures?: KernelDeps['signatures'];
  readonly isUnattended?: boolean;
  readonly mandateExcess?: KernelDeps['mandateExcess'];
}

/** How something is proposed; `ttl` is seconds. */
interface Asked {
  readonly ttl?: number;
  readonly key?: string;
  readonly by?: ProposalCaller;
  readonly owner?: string;
  readonly more?: object;
}

export const alice = { sub: 'alice', clientId: 'trade-agent', accessToken: 'SESSION-TOKEN' } as const;
export const GATEWAY = 'https://gateway.example';
export const TOKEN_MS = 300_000;
/** From so many shares on a second person must approve. */
export const TAKES_TWO = 1000;

/** What no run waits for: every proposal's deadline lies before it. */
const LONG_MS = 48 * 3_600_000;

/** Has the next calls of a method fail. */
export function failNext<Name extends string>(
  owner: Record<Name, (...given: never[]) => Promise<unknown>>,
  name: Name,
  times: number,
  message: string,
): void {
  const method = owner[name].bind(owner) as (...given: unknown[]) => Promise<unknown>;
  let left = times;
  Object.assign(owner, {
    [name]: async (...given: unknown[]) => {
      if (left-- > 0) throw new Error(message);
      return await method(...given);
    },
  });
}

/** A kernel with everything around it made up: provider, desk, time. One database, so that it can be started again. */
export function kernelWorld({
  answers = [],
  delivery = 'poll',
  interval = 2,
  details = 'rar',
  signatures,
  isUnattended = false,
  mandateExcess,
}: WorldOptions = {}) {
  const clock = new VirtualClock();
  const started = clock.now();
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-kernel-'));
  const database = new Database(':memory:');
  const {
    proposals: store,
    queue,
    halts,
    audit: auditStore,
    earlyPings,
  } = createSqliteGatewayStores(database, createAuthReqIdSeal('of the test'));
  let isStarted = false;
  const moves = new ProposalTransitions(store, createTokenSeal('of the test'), clock);
  const notificationTokens = new NotificationTokens('of the test');
  const audit = new AuditSequencer({
    store: auditStore,
    key: deriveReceiptKey('of the test'),
    gateway: GATEWAY,
    onError: (message) => errors.push(message),
  });

  /** When the desk was asked to carry one out, and what became of it, milliseconds since the epoch. */
  const looks: number[] = [];
  const polls: { id: string; at: number; expected: { sub: string; details: CibaRequest['details'] } }[] = [];
  const questions: CibaRequest[] = [];
  const told: (Outcome & { authReqId: string })[] = [];
  const errors: string[] = [];
  /** The broker's book, and the desk's journal: by the id, what the first time came to. */
  const book: Subject[] = [];
  const journal = new Map<string, unknown>();
  let inProgress = 0;

  const world = {
    clock,
    database,
    store,
    moves,
    notificationTokens,
    halts,
    audit,
    answers,
    polls,
    looks,
    questions,
    told,
    /** Whether the provider takes in what it is told. */
    listens: true,
    asking: undefined as unknown as CibaPort,
    errors,
    book,
    journal,
    /** What the desk does, in turn; afterwards it places each order once. */
    steps: [] as Step[],
    /** The desk places it, or says what came of it the first time. */
    place: (subject: Subject): ExecutionOutcome<unknown> => {
      const earlier = journal.get(subject.client_order_id);
      if (earlier !== undefined) return { outcome: 'executed', result: earlier };
      const result = { order: subject.client_order_id };
      journal.set(subject.client_order_id, result);
      book.push(subject);
      return { outcome: 'executed', result };
    },
    /** The tokens by which it was asked what came of one. */
    followedWith: [] as string[],
    /** Hears by whose token it is asked what came of one, and can have it wait for the answer. */
    onSettle: (_asker: Proposer): unknown => undefined,
    /** What was given up, by the id, and whose it was. */
    abandoned: [] as [string, string][],
    /** {@link Kind.isCorrected}; only a batch has it. */
    isCorrected: undefined as Kind['isCorrected'],
    /** What {@link Kind.settle} finds. */
    settled: { outcome: 'unknown', text: 'nobody knows' } as ExecutionOutcome<unknown> | undefined,
    /** Who stands how to whose account: nobody to anybody else's, until a test says so. */
    access: {
      require: async (who, _question, account) => {
        if (who !== account) throw new HttpProblem(403, 'policy_denied', 'a stranger');
      },
      findSecondApprover: async () => {
        throw new HttpProblem(403, 'policy_denied', 'there is nobody');
      },
    } as AccessControl,
    /** Runs before a question is taken; throws where it is not. */
    onRequest: async (): Promise<void> => {},
    verify: async (token: string, { isFirst }: { readonly isFirst: boolean }): Promise<Approval> => {
      const [, id = '', by] = token.split(' ');
      const proposal = await store.get(id);
      if (proposal === undefined) throw new HttpProblem(401, 'token_malformed', 'of nobody');
      // A second person's came just now.
      const expiresAt = by === undefined ? (proposal.tokenExpiresAt ?? 0) : clock.now() + TOKEN_MS;
      if (isFirst && clock.now() >= expiresAt) throw new HttpProblem(401, 'token_expired', 'it has expired');
      const question = buildCibaRequest({ getKind, gateway: GATEWAY, detailsTypes: {} }, proposal);
      return {
        sub: by ?? proposal.sub,
        clientId: 'gateway',
        jti: token,
        authorizationDetails: [question.details],
        accessToken: token,
        expiresAt,
      };
    },
    times: () => polls.map(({ at }) => at),
    events: async () => writtenLines<{ event: string; state?: string }>(database),
    kernel: undefined as unknown as ApprovalKernel,
    /** Proposes `qty` shares, and runs until the owner was asked (or it ended). */
    propose: (qty = '5', { ttl = 300, key = `key-${qty}`, by = alice, owner, more = {} }: Asked = {}) => {
      if (!isStarted) world.kernel.start();
      isStarted = true;
      return clock
        .run(
          world.kernel.propose(
            by,
            proposalRequestSchema.parse({
              kind: 'order',
              order: { symbol: 'AAPL', side: 'buy', qty },
              ttl,
              for: owner,
              ...more,
            }),
            key,
          ),
        )
        .then(({ proposal }) => proposal);
    },
    /** Runs until it is in one of these states. @throws {Error} if it ends in another one */
    until: (id: string, ...states: ProposalState[]): Promise<StoredProposal> =>
      clock.run(
        (async () => {
          for (;;) {
            const proposal = await world.row(id);
            if (states.includes(proposal.state)) return proposal;
            if (isSettledState(proposal.state)) throw new Error(`${id} is ${proposal.state} for good`);
            await world.kernel.awaitChange(id, proposal.version, LONG_MS, new AbortController().signal);
          }
        })(),
      ),
    /** Proposes, and runs until it is in this state. */
    proposed: async (state: ProposalState, qty?: string, asked?: Asked): Promise<StoredProposal> =>
      world.until((await world.propose(qty, asked)).id, state),
    sleep: (ms: number) => clock.run(clock.sleep(ms)),
    row: async (id: string): Promise<StoredProposal> => {
      const row = await store.get(id);
      if (row === undefined) throw new Error(`there is no ${id}`);
      return row;
    },
    /** One that an earlier process left like this; its token is good for five minutes. */
    left: async (state: ProposalState, qty = '5', ttlMs = TOKEN_MS): Promise<StoredProposal> => {
      const id = generateProposalId();
      const deadline = clock.now() + ttlMs;
      const subject: Subject = { qty, client_order_id: `ta-${id}`, expires_at: formatUtcSeconds(deadline) };
      const draft = {
        id,
        sub: alice.sub,
        client: alice.clientId,
        username: undefined,
        email: undefined,
        kind: 'order',
        code: generateProposalCode(),
        subject,
        subjectId: subject.client_order_id,
        fingerprint: qty,
        nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
        digest: proposalDigest({
          kind: 'order',
          subject,
          worst_case: null,
          provenance: null,
          requested_by: null,
          client: alice.clientId,
        }),
        worstCase: null,
        warnings: [],
        shows: {},
        provenance: null,
        requestedBy: null,
        again: undefined,
        typed: false,
        deadline,
      } as const;
      const key = { sub: alice.sub, client: alice.clientId, key: id, request: id };
      const standing = await store.snapshot({ ...key, typed: false }, 0);
      const note = { event: 'proposed', facts: proposalAuditFacts({ ...draft, state: 'drafted' }) } as const;
      await store.draft(draft, key, standing, note, clock.now());
      const token = { value: `token ${id}`, expiresAt: clock.now() + TOKEN_MS };
      for (const to of way[state]) {
        const changes =
          to === 'requested'
            ? { authReqId: `left-${id}`, interval, expiresAt: deadline, asked: 1 }
            : to === 'approved'
              ? { token }
              : to === 'executed'
                ? { result: {} }
                : {};
        await moves.move(await world.row(id), to, changes);
      }
      return await world.row(id);
    },
    /** A new process on the same database. */
    start: () => {
      world.kernel = makeKernel();
      world.kernel.start();
      isStarted = true;
    },
    close: () => clock.run(world.kernel.close()),
  };

  const orderKind: Kind<{ qty: string }, Subject, unknown> = {
    name: 'order',
    subjectSchema: z.object({
      qty: z.string(),
      client_order_id: z.string(),
      expires_at: z.string(),
      mandate: z.string().optional(),
    }),
    resultSchema: z.unknown(),
    scope: 'orders:write',
    detailsType: 'trade_order',
    complete: async ({ qty }, { subjectId, expiresAt, under }) => ({
      subject: {
        qty,
        client_order_id: subjectId,
        expires_at: expiresAt,
        ...(under === undefined ? {} : { mandate: under.mandate }),
      },
      subjectId,
      worstCase: null,
      warnings: [],
      shows: {},
      needsSecond: Number(qty) >= TAKES_TWO,
    }),
    describe: ({ qty }) => `BUY ${qty} AAPL`,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ qty }) => qty,
    async execute(subject, approved) {
      looks.push(clock.now());
      if (++inProgress > 1) throw new Error('two are carried out at the same time');
      try {
        const step = world.steps.shift();
        if (step !== undefined) return typeof step === 'function' ? await step(subject, approved) : step;
        return world.place(subject);
      } finally {
        inProgress--;
      }
    },
    async settle(_subject, asker) {
      looks.push(clock.now());
      await world.onSettle(asker);
      return world.settled;
    },
    async abandon({ client_order_id }, sub) {
      world.abandoned.push([client_order_id, sub]);
    },
    async follow(_subject, _result, { accessToken }) {
      world.followedWith.push(accessToken);
      return undefined;
    },
    resultText: () => `placed`,
  };
  const lift = liftKind({ halts, clock });
  const getKind = (kind: StoredProposal['kind']) => {
    const { isCorrected } = world;
    const order = isCorrected === undefined ? orderKind : { ...orderKind, isCorrected };
    return (kind === 'lift' ? lift : order) as unknown as Kind;
  };

  const asking: CibaPort = {
    delivery,
    async request(question) {
      await world.onRequest();
      questions.push(question);
      const expiresAt = clock.now() + question.expiresIn * 1000;
      return { authReqId: `auth-${questions.length}`, expiresAt, interval };
    },
    async poll(id, expected, signal, onSend = () => undefined) {
      polls.push({ id, at: (clock.now() - started) / 1000, expected });
      const next = world.answers.shift() ?? { status: 'pending' };
      const answer = typeof next === 'function' ? await next(signal, onSend) : next;
      if (answer !== 'approved') return answer;
      const { proposal } = expected.details;
      const accessToken = expected.sub === alice.sub ? `token ${proposal}` : `token ${proposal} ${expected.sub}`;
      return { status: 'approved', accessToken, expiresAt: clock.now() + TOKEN_MS };
    },
    async reportOutcome(authReqId, outcome) {
      if (!world.listens) return false;
      told.push({ authReqId, ...outcome });
      return true;
    },
  };

  const makeKernel = () =>
    new ApprovalKernel({
      store,
      queue,
      moves,
      halts,
      access: {
        require: (...asked) => world.access.require(...asked),
        findSecondApprover: (...asked) => world.access.findSecondApprover(...asked),
      },
      audit,
      asking,
      notificationTokens,
      earlyPings,
      clock,
      gateway: GATEWAY,
      details,
      detailsTypes: {},
      getKind,
      signatures,
      isUnattended,
      mandateExcess,
      verifyApproval: (token, time) => world.verify(token, time),
      quotas: defaultQuotas,
      maxTtlSeconds: 24 * 3600,
      ownClients: new Set(['trade-agent']),
      onError: (message) => errors.push(message),
    });
  world.asking = asking;
  world.kernel = makeKernel();
  onTestFinished(async () => {
    await world.close();
    database.close();
    rmSync(folder, { recursive: true });
  });
  return world;
}
export type KernelWorld = ReturnType<typeof kernelWorld>;

/** A world that begins with a proposal that an earlier process left like this. */
export async function restarted(state: ProposalState, options?: WorldOptions) {
  const world = kernelWorld(options);
  const left = await world.left(state);
  world.start();
  return { ...left, world };
}

const way: Readonly<Record<ProposalState, readonly ProposalState[]>> = {
  drafted: [],
  requested: ['requested'],
  approved: ['requested', 'approved'],
  executing: ['requested', 'approved', 'executing'],
  unknown: ['requested', 'approved', 'executing', 'unknown'],
  executed: ['requested', 'approved', 'executing', 'executed'],
  denied: ['requested', 'denied'],
  expired: ['expired'],
  cancelled: ['cancelled'],
  blocked: ['blocked'],
};
