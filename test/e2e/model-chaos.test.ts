import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { suiteWorld } from './suite-world.ts';
import { hasTmux, openTerminal } from './tmux.ts';

const world = suiteWorld();
let mock: LLMock;
beforeEach(async () => {
  mock = new LLMock({ port: 0 });
  await mock.start();
  const order = { symbol: 'AAPL', side: 'buy', qty: '5' };
  mock.on(
    { userMessage: 'buy', hasToolResult: false },
    { toolCalls: [{ name: 'place_order', arguments: JSON.stringify(order) }] },
  );
  mock.on({ hasToolResult: true }, { content: 'All is well.' });
});
afterEach(() => mock.stop());

const server = () => ['--model', 'gpt-test', '--base-url', `${mock.url}/v1`];
const env = { TRADE_AGENT_API_KEY: 'not-a-key' };

/** aimock's modes, and what is said of each. A slow server is left when the run's own time is over. */
const modes = [
  ['drops requests', { dropRate: 1 }, /responded with HTTP status 500/],
  ['sends malformed answers', { malformedRate: 1 }, /closed the connection early or sent an invalid answer/],
  ['disconnects', { disconnectRate: 1 }, /cannot be reached or closed the connection/],
  ['limits the rate', { rateLimitRate: 1 }, /is limiting requests/],
] as const;

describe('a run, when the model’s server', () => {
  it.each([
    ...modes.map((mode) => [...mode, 1] as const),
    ['is slow', { latencyMs: 30_000 }, /did not finish within 3s/, 124],
  ] as const)('%s, says so, places nothing, and can be gone on with', async (_, chaos, says, exit) => {
    mock.setChaos(chaos);
    const limit = exit === 124 ? ['--timeout', '3s'] : [];
    const failed = await world.cli(
      ['run', 'buy 5 AAPL', '--output', 'json', ...server(), ...limit, '--approval', 'deny'],
      { env },
    );
    const result = JSON.parse(failed.stdout) as { thread: string; error: { message: string; hint: string } };
    expect([failed.code, result]).toMatchObject([exit, { status: 'failed', orders: [], approvals: [] }]);
    expect(result.error.message).toMatch(says);
    expect(result.error.hint).toMatch(/\w/);

    mock.clearChaos();
    const resumed = await world.cli(['resume', result.thread, '--approval', 'deny', ...server()], { env });
    expect([resumed.code, resumed.stdout]).toEqual([6, expect.stringContaining('All is well.')]);
    expect(await world.book()).toEqual([]);
  });
});

describe.skipIf(!hasTmux())('the chat, when the model’s server', () => {
  it.each([...modes, ['is slow', { latencyMs: 30_000 }, /^stopped$/] as const])(
    '%s, says so, stays usable, and goes on with the conversation',
    async (name, chaos, says) => {
      mock.setChaos(chaos);
      const args = ['chat', ...server()];
      const terminal = openTerminal({ args, env: { ...world.env, ...env }, columns: 100, rows: 30 });
      await terminal.shows(/^PAPER[^\n]* · Alice/m);
      terminal.type('buy 5 AAPL\n');
      if (name === 'is slow') {
        await terminal.shows(/thinking/);
        terminal.press('Escape');
      }
      await terminal.shows(new RegExp(`${says.source}[\\s\\S]*/help$`, 'm'));
      mock.clearChaos();
      terminal.type('/resume\n');
      await terminal.shows(/waiting for your phone, \d[\s\S]*BUY 5 AAPL/);
      const [request] = await world.phone.requests('alice', { waitSeconds: 10 });
      await world.phone.decide(request?.id ?? '', 'deny');
      await terminal.shows(/denied on the phone[\s\S]*All is well\.[\s\S]*\/help$/m);
      expect(await world.book()).toEqual([]);
    },
  );
});
