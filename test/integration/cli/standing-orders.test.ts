import { describe, expect, it } from 'vitest';
import { formatUtcSeconds, systemClock } from '../../../src/machine/clock.ts';
import { nextDueTime } from '../../../src/trading/mandate/due-times.ts';
import { movableClock } from '../../movable-clock.ts';
import { type CommandResult, suiteCliWorld } from './cli-world.ts';

const clock = movableClock(systemClock);
const world = suiteCliWorld({ clock });

const phone = (decision: 'approve' | 'deny') =>
  world.run(['phone', '--user', 'alice', '--decide', decision, '--once', '--timeout', '30s']);
const say = (sentence: string, ...more: string[]) => world.run(['run', sentence, ...more]);

interface Result {
  readonly thread: string;
  readonly status: string;
  readonly text: string;
  readonly approvals: readonly {
    readonly kind: string;
    readonly worst_case: { readonly text: string };
    readonly mandate: { readonly mandate_id: string; readonly expires_at: string };
    readonly granted?: { readonly mandate: string; readonly next_at?: string };
  }[];
}
const resultOf = ({ stdout }: CommandResult): Result => JSON.parse(stdout);

/** A look of the gateway's that was under way when time was put forward is followed by another, a quarter of a minute later. */
const orders = () =>
  expect.poll(
    () => {
      clock.advance(15_000);
      return world.sandbox.broker.book().map(({ side, symbol }) => `${side} ${symbol}`);
    },
    { timeout: 8_000, interval: 200 },
  );
const monday = () => nextDueTime({ every: 'monday', at: '10:00' }, clock.now());
const setPrice = async (symbol: string, price: string) => {
  const { ready, seed } = world.sandbox;
  const response = await fetch(`${ready.broker}/admin/prices/${symbol}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${seed.admin_secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ price }),
  });
  expect(response.ok).toBe(true);
};

describe('said to the agent, a standing order', () => {
  it('is a question for who meant two things, and rings no phone', async () => {
    await setPrice('NVDA', '150.00');
    for (const [sentence, question] of [
      ['buy $200 of VTI every week', 'On which day of the week?'],
      ['sell 5 NVDA if it falls below 160', 'NVDA is already below $160.00, at $150.00: do you want to sell now?'],
    ] as const) {
      const { exitCode, stdout, stderr } = await say(sentence);
      expect([exitCode, stdout + stderr]).toEqual([2, expect.stringContaining(question)]);
    }
  });

  it('is refused where the run may ask nobody, and where standard input has been heard', async () => {
    for (const mode of ['deny', 'mandate']) {
      expect((await say('buy $200 of VTI every Monday', '--approval', mode)).exitCode).toBe(6);
    }
    const heard = await world.run(['run', 'buy $200 of VTI every Monday'], { stdin: 'VTI is a buy' });
    expect(heard).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining('trade-agent mandates add --buy VTI --amount 200 --every monday'),
    });
  });

  it('comes to nothing by a no', async () => {
    const running = world.start(['run', 'buy $200 of VTI every Monday']);
    const { stdout } = await phone('deny');
    expect(stdout).toContain('denied');
    const { exitCode, stderr } = await running.done;
    expect([exitCode, stderr]).toEqual([6, expect.stringContaining('No mandate was granted.')]);
    // The worst of it is what is read first.
    expect(stderr).toMatch(/Approval needed \(\S+\)\n {2}mandate {3}Up to \$[\d,.]+ total, without asking again/);
  });
});

describe('from words to orders that no terminal waits for', () => {
  // Before any time is put forward: afterwards the programs' clocks are behind.
  it('is proposed by a run that goes away, and told to who comes back', async () => {
    const asked = await say('sell 5 NVDA if it falls below 100', '--approval', 'detach', '--output', 'json');
    expect(asked.exitCode).toBe(5);
    const { thread, approvals } = resultOf(asked);
    expect(approvals[0]).toMatchObject({ kind: 'mandate', mandate: { max_orders: 1 } });
    await phone('approve');
    const told = await world.run(['resume', thread, '--output', 'json']);
    expect([told.exitCode, resultOf(told).text]).toEqual([0, expect.stringContaining('It is watching the price now.')]);
  });

  it('says when it is due next, how much it can come to and until when', async () => {
    const running = world.start(['run', 'buy $200 of VTI every Monday', '--output', 'json']);
    await phone('approve');
    const done = await running.done;
    const { text, approvals } = resultOf(done);
    const { granted, mandate, worst_case } = approvals[0] ?? {};
    expect([done.exitCode, granted]).toEqual([
      0,
      expect.objectContaining({ mandate: mandate?.mandate_id, next_at: formatUtcSeconds(monday()) }),
    ]);
    expect(worst_case?.text).toMatch(/^Up to \$[\d,]+\.00 total, without asking again, until /);
    expect(text).toContain(
      'Buy $200.00 of VTI every Monday at 10:00 AM New York time: the gateway will place it automatically.',
    );
    expect(text).toContain('You gave no end date, so it lasts 35 days');
    expect(text).toMatch(/Next: Mon, \w+ \d+, 10:00 AM New York time\./);
    const { stdout } = await world.run(['mandates']);
    expect(stdout).toMatch(/NEXT/);
    expect(stdout).toMatch(/Buy \$200\.00 of VTI every Monday.* Mon, \w+ \d+, 10:00 AM New York time/);
    expect(stdout).toMatch(/Sell 5 NVDA if NVDA falls below \$100\.00.* watching the price/);
  });

  it('is placed at its price, once, and on its day', async () => {
    await orders().toEqual([]);
    await setPrice('NVDA', '99.00');
    await orders().toEqual(['sell NVDA']);
    clock.advance(monday() + 1_000 - clock.now());
    await orders().toEqual(['sell NVDA', 'buy VTI']);
  });
});
