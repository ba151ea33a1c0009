import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { subjectId } from '../../../src/agent/approval-subject.ts';
import { waitForDecision } from '../../../src/agent/approval-wait.ts';
import type { AgentEvent } from '../../../src/agent/events.ts';
import type { GraphEnvironment } from '../../../src/agent/graph-environment.ts';
import type { PollResult } from '../../../src/auth/ciba.ts';
import type { TradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { TradeAgentError } from '../../../src/trading/errors.ts';
import { approvalIn, openStores } from './approval-fixture.ts';
import { VirtualClock } from '../../virtual-clock.ts';

type Answer = PollResult | ((signal: AbortSignal, onSend: () => void) => Promise<PollResult>);

/** Waits on one requested approval, with the identity provider's answers given beforehand; `pending` after them. */
function waiting(answers: Answer[], interval = 2) {
  const clock = new VirtualClock();
  const stores = openStores(clock);
  const { id } = approvalIn(stores, clock, 'requested');
  stores.approvals.setInterval(id, interval);
  const started = clock.now();
  const polls: { id: string; at: number; details: TradeOrderDetails | undefined }[] = [];
  const events: AgentEvent[] = [];
  const recorded: string[] = [];
  const stop = new AbortController();
  const asked: string[] = [];
  const environment = {
    approvals: stores.approvals,
    clock,
    signal: stop.signal,
    profile: { audience: 'https://gateway.example', details_type: 'trade_order' },
    approvalClient: async () => ({
      request: async (details: TradeOrderDetails) => {
        wait.onRequest();
        asked.push(details.identifier);
        return { authReqId: `auth-again-${asked.length}`, expiresAt: clock.now() + 120_000, interval };
      },
      poll: async (
        authReqId: string,
        signal: AbortSignal,
        details?: TradeOrderDetails,
        onSend: () => void = () => undefined,
      ): Promise<PollResult> => {
        polls.push({ id: authReqId, at: (clock.now() - started) / 1000, details });
        const answer = answers.shift() ?? { status: 'pending' };
        return typeof answer === 'function' ? answer(signal, onSend) : answer;
      },
    }),
    emit: (event: AgentEvent) => events.push(event),
    changed: () => {
      stores.audit.flush();
      const last = readFileSync(stores.auditFile, 'utf8').trim().split('\n').at(-1) ?? '';
      recorded.push(JSON.parse(last).event);
    },
  } as unknown as GraphEnvironment;
  const wait = {
    onRequest: (): void => {},
    clock,
    polls,
    asked,
    recorded,
    stop,
    stores,
    id,
    notices: () => events.flatMap((event) => (event.type === 'notice' ? [event.message] : [])),
    run: (options = {}, signal = stop.signal) => clock.run(waitForDecision(environment, id, signal, options)),
    row: () => stores.approvals.get(id),
  };
  return wait;
}

const approved: PollResult = { status: 'approved', accessToken: 'PLANTED-TOKEN', expiresAt: 0 };
const pending: PollResult = { status: 'pending' };
const unreachable: PollResult = { status: 'unreachable', reason: 'ECONNREFUSED' };
const times = (polls: { at: number }[]) => polls.map(({ at }) => at);

describe('waiting for a decision', () => {
  it('polls at once, then at the interval counted from when the poll was sent', async () => {
    const wait = waiting([
      pending,
      async () => {
        await wait.clock.sleep(1_500);
        return pending;
      },
      approved,
    ]);
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 2, 4]);
    expect(wait.row()?.status).toBe('approved');
    expect(wait.stores.approvals.token(wait.id)).toBe('PLANTED-TOKEN');
    expect(wait.recorded).toEqual(['approved']);
  });

  it('counts the interval from when the request went out, not from when it was prepared', async () => {
    const wait = waiting([
      async (_, onSend) => {
        await wait.clock.sleep(1_500);
        onSend();
        return pending;
      },
      approved,
    ]);
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 3.5]);
  });

  it('keeps the interval from the last poll of a wait before it', async () => {
    const wait = waiting([pending, pending, approved]);
    await wait.run({ once: true });
    expect(wait.row()?.status).toBe('requested');
    await wait.clock.run(wait.clock.sleep(500));
    await wait.run({ once: true });
    expect(times(wait.polls)).toEqual([0, 2]);
    await wait.clock.run(wait.clock.sleep(30_000));
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 2, 32]);
  });

  it('waits no longer than an interval where the clock was set back', async () => {
    const wait = waiting([approved]);
    wait.stores.approvals.setPolled(wait.id, wait.clock.now() + 3_600_000);
    await wait.run();
    expect(times(wait.polls)).toEqual([2]);
  });

  it('polls again at once after a long poll', async () => {
    const wait = waiting([
      async () => {
        await wait.clock.sleep(25_000);
        return pending;
      },
      approved,
    ]);
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 25]);
  });

  it('waits five seconds longer from each slow_down on', async () => {
    const wait = waiting([{ status: 'slow_down' }, { status: 'slow_down' }, pending, approved]);
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 7, 19, 31]);
  });

  it('backs off while the provider cannot be reached, up to 30 seconds, and says so once', async () => {
    const wait = waiting([...Array<PollResult>(7).fill(unreachable), pending, approved]);
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 2, 4, 8, 16, 32, 62, 92, 94]);
    expect(wait.notices()).toEqual([
      expect.stringContaining('cannot be reached'),
      expect.stringContaining('answers again'),
    ]);
  });

  it('honours Retry-After', async () => {
    const wait = waiting([{ ...unreachable, retryAfter: 12 }, approved]);
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 12]);
  });

  it('honours a Retry-After that is longer than its own patience', async () => {
    const wait = waiting([{ ...unreachable, retryAfter: 90 }, approved]);
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 90]);
  });

  it('keeps a long interval also after the provider could not be reached', async () => {
    const wait = waiting([unreachable, approved], 45);
    await wait.run();
    expect(times(wait.polls)).toEqual([0, 45]);
  });

  it('ends at the absolute deadline, however long the provider said nothing', async () => {
    const wait = waiting(Array<PollResult>(50).fill(unreachable));
    await wait.run();
    expect(wait.row()).toMatchObject({ status: 'expired', reasonCode: 'approval_expired' });
    expect(times(wait.polls).at(-1)).toBeLessThan(300);
  });

  it('that comes back after the deadline asks once, to tell a denial from an expiry', async () => {
    const denied = waiting([{ status: 'denied' }]);
    denied.clock.advance(400_000);
    await denied.run();
    expect(denied.row()?.status).toBe('denied');
    const silent = waiting([unreachable]);
    silent.clock.advance(400_000);
    await silent.run();
    expect(silent.row()?.status).toBe('expired');
    expect(silent.polls).toHaveLength(1);
  });

  it('ends soon after the deadline when a poll hangs', async () => {
    const hang = (signal: AbortSignal) =>
      new Promise<PollResult>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const wait = waiting([hang]);
    const started = wait.clock.now();
    await wait.run();
    expect(wait.row()?.status).toBe('expired');
    expect(wait.clock.now() - started).toBeLessThanOrEqual(306_000);
  });

  it.each([
    [{ status: 'denied' }, 'denied', 'approval_denied'],
    [{ status: 'expired' }, 'expired', 'approval_expired'],
    [{ status: 'failed', error: 'invalid_request' }, 'blocked', 'provider_error'],
  ] as const)('never polls again after %o', async (answer, status, reasonCode) => {
    const wait = waiting([answer]);
    await wait.run();
    expect(wait.polls).toHaveLength(1);
    expect(wait.row()).toMatchObject({ status, reasonCode });
  });

  it('asks once more, saying why, when the answer was lost', async () => {
    const wait = waiting([{ status: 'lost' }, approved]);
    await wait.run();
    expect(wait.asked).toHaveLength(1);
    expect(wait.polls.map(({ id }) => id)).toEqual(['auth-tc_1', 'auth-again-1']);
    expect(wait.notices()).toEqual([expect.stringContaining('lost')]);
    expect(wait.row()?.status).toBe('approved');
  });

  it.each<[PollResult, string]>([
    [{ status: 'expired' }, 'requested'],
    [{ status: 'failed', error: 'invalid_request' }, 'requested'],
    [{ status: 'lost' }, 'requested'],
    // The person's own word counts, whichever time they were asked.
    [{ status: 'denied' }, 'denied'],
    [approved, 'approved'],
  ])(
    'hearing %o of a question that another process has asked anew meanwhile leaves it %s',
    async (late, status) => {
      const wait = waiting([
        async () => {
          const other = wait.stores.reopen();
          other.move(wait.id, 'drafted');
          other.move(wait.id, 'requested', { authReqId: 'auth-anew', interval: 2 });
          return late;
        },
      ]);
      await wait.run({ once: true });
      expect(wait.row()?.status).toBe(status);
      expect(wait.asked).toEqual([]);
    },
  );

  it('asks three times at most', async () => {
    const wait = waiting(Array<PollResult>(5).fill({ status: 'lost' }));
    await wait.run();
    expect(wait.polls).toHaveLength(3);
    expect(wait.row()).toMatchObject({ status: 'blocked', reasonCode: 'provider_error' });
  });

  it('ends when the approval is taken back in another process, and drops a token that comes after', async () => {
    const wait = waiting([
      (signal) =>
        new Promise((resolve) => {
          wait.stores.reopen().move(wait.id, 'cancelled');
          signal.addEventListener('abort', () => resolve(approved));
        }),
    ]);
    const started = wait.clock.now();
    await wait.run();
    expect(wait.row()).toMatchObject({ status: 'cancelled', hasToken: false });
    expect(wait.clock.now() - started).toBeLessThanOrEqual(2_000);
  });

  it('told to look once takes a decision that is there, and waits for none', async () => {
    const given = waiting([approved]);
    await given.run({ once: true });
    expect(given.row()?.status).toBe('approved');
    const open = waiting([pending, approved]);
    await open.run({ once: true });
    expect(open.row()?.status).toBe('requested');
    expect(open.polls).toHaveLength(1);
    expect(open.notices()).toEqual([]);
  });

  it('told to look once does not sit out a long poll, nor call that an outage', async () => {
    const held = waiting([
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ]);
    const started = held.clock.now();
    await held.run({ once: true });
    expect(held.row()?.status).toBe('requested');
    expect(held.clock.now() - started).toBeLessThanOrEqual(3_000);
    expect(held.notices()).toEqual([]);
  });

  it('told to look once after the deadline settles it', async () => {
    const late = waiting([unreachable]);
    late.clock.advance(400_000);
    await late.run({ once: true });
    expect(late.row()?.status).toBe('expired');
  });

  it('told to look once asks again for an answer that was lost, and leaves it pending', async () => {
    const lost = waiting([{ status: 'lost' }, approved]);
    await lost.run({ once: true });
    expect(lost.row()?.status).toBe('requested');
    expect(lost.asked).toHaveLength(1);
  });

  it('leaves an approval to be asked for again when its wait ends before the provider takes the question', async () => {
    const wait = waiting([{ status: 'lost' }]);
    const ended = new AbortController();
    wait.onRequest = () => {
      void wait.clock.sleep(10_000).then(() => ended.abort(new Error('ended')));
      throw new TradeAgentError('provider_unreachable', 'too often', { details: { retryAfter: 60 } });
    };
    await expect(wait.run({}, ended.signal)).rejects.toThrow('ended');
    expect(wait.row()?.status).toBe('drafted');
  });

  it('leaves the approval as it is when the run is stopped', async () => {
    const wait = waiting([
      async () => {
        wait.stop.abort(new Error('stopped'));
        return pending;
      },
    ]);
    await expect(wait.run()).rejects.toThrow('stopped');
    expect(wait.row()?.status).toBe('requested');
  });

  it('says with each poll what was asked for, so that other details are refused', async () => {
    const wait = waiting([approved]);
    await wait.run();
    const row = wait.row();
    expect(wait.polls[0]?.details).toMatchObject({
      type: 'trade_order',
      qty: '5',
      identifier: row && subjectId(row.draft),
    });
  });
});
