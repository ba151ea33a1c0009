import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/agent/events.ts';
import type { ChatModel } from '../../../src/agent/model/chat-model.ts';
import { createAgentOnStores } from '../../../src/agent/run/create-agent.ts';
import { openMemoryStateDatabase } from '../../../src/store/sqlite/state-database.ts';
import { createClosableSqliteStateStores } from '../../../src/store/sqlite/state-stores.ts';
import type { Alerts } from '../../../src/tools/alerts.ts';
import { tools } from '../../../src/tools/catalog.ts';
import { createGatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import { sandboxWorld } from './sandbox-world.ts';
import { createWorld, options, play } from './world.ts';

const never = (): never => {
  throw new Error('a dry run wrote to local state');
};
/** Alerts that fail the test if anything is changed. */
const alerts: Alerts = {
  list: async () => ({ alerts: [], looked_at_by: [], told_by: [] }),
  add: async () => never(),
  remove: async () => never(),
  scheduleChecks: async () => never(),
};

describe('a dry run on the sandbox', () => {
  const world = sandboxWorld();

  async function dryRun(prompt: string, model?: ChatModel): Promise<RunResult> {
    const stores = createClosableSqliteStateStores(openMemoryStateDatabase());
    const agent = createAgentOnStores(stores, {
      profile: world.profile,
      session: await world.session(),
      env: {},
      alerts,
      dryRun: true,
      ...(model === undefined ? {} : { model }),
    });
    const { result } = await play(agent.run({ prompt }, options()));
    await agent.close();
    return result;
  }

  /** Everything that the gateway and the person's folder keep. */
  async function everything() {
    const gateway = createGatewayClient(await world.session());
    return {
      book: world.sandbox.broker.book(),
      proposals: await gateway.proposals(),
      orders: await gateway.orders({ status: 'all', limit: 500 }),
      record: await gateway.record(500),
      decisions: await gateway.decisions({ limit: 500 }),
      mandates: await gateway.mandates(),
      watchlist: await gateway.watchlist(),
      policy: await gateway.policy(),
      halted: await gateway.halted(),
      access: await gateway.access(),
      files: listFiles(world.folder),
    };
  }

  async function openOrder(): Promise<string> {
    const agent = await world.agent();
    const running = play(agent.run({ prompt: 'buy 2 KO limit 10 gtc' }, options()));
    await world.tap('approve');
    const { result } = await running;
    await agent.close();
    return result.orders[0]?.id ?? '';
  }

  it('has no effect by any tool, and drafts each one that would have any', async () => {
    const order_id = await openOrder();
    const order = { symbol: 'AAPL', side: 'buy', qty: '2', type: 'market' };
    const calls: Readonly<Record<string, readonly [prompt: string, args: object]>> = {
      place_order: ['buy 2 AAPL', order],
      place_orders: ['buy 2 AAPL and 1 KO', { orders: [order, { ...order, symbol: 'KO', qty: '1' }] }],
      place_standing_order: [
        'buy $200 of VTI every Monday',
        { symbol: 'VTI', side: 'buy', notional: '200', every: 'monday' },
      ],
      close_position: ['sell all my MSFT', { symbol: 'MSFT' }],
      replace_order: ['change the limit of my KO order to 11', { order_id, limit_price: '11' }],
      cancel_order: ['cancel my KO order', { order_id }],
      send_slack_summary: ['send a summary to #trading', { recipient: '#trading' }],
      send_gmail_summary: ['mail a summary to ada@example.com', { recipient: 'ada@example.com' }],
      set_watchlist: ['watch TSLA', { add: ['TSLA'] }],
      set_alert: ['alert me when AAPL is above 900', { symbol: 'AAPL', above: '900' }],
      remove_alert: ['remove my AAPL alert', { symbol: 'AAPL' }],
      add_schedule: ['check my alerts every 15 minutes', { every: '15m' }],
    };
    // The earlier order's audit lines are sequenced in batches.
    const sequenced = async () =>
      (await createGatewayClient(await world.session()).record(500)).every(({ leaf }) => leaf !== null);
    await expect.poll(sequenced).toBe(true);
    const before = await everything();
    const effective = tools.filter(({ risk }) => risk !== 'read').map(({ name }) => name);
    expect(Object.keys(calls).sort(), 'each tool that has an effect is tried').toEqual([...effective].sort());
    for (const name of effective) {
      const [prompt, args] = calls[name] ?? ['', {}];
      const result = await dryRun(prompt, callingModel(name, args));
      const drafted = { status: 'done', orders: [], approvals: [], drafts: [{ tool: name }] };
      // Nobody's Slack or Gmail is connected here, which a dry run does not wait for.
      const unconnected = { error: { code: 'connection_required' }, messages: [], approvals: [] };
      expect(result, name).toMatchObject(name.startsWith('send_') ? unconnected : drafted);
    }
    expect(await everything()).toEqual(before);
  });

  it('shows the order, its worst case, the rules’ verdict and who would approve it', async () => {
    const result = await dryRun('buy 5 AAPL limit 20');
    expect(result).toMatchObject({
      status: 'done',
      text: expect.stringContaining('BUY 5 AAPL, limit $20.00'),
      drafts: [
        {
          kind: 'order',
          text: 'BUY 5 AAPL, limit $20.00',
          environment: 'paper',
          order: { symbol: 'AAPL', side: 'buy', qty: '5', limit_price: '20.00' },
          worst_case: { cash: '100.00', price: '20.00' },
          shows: { Cash: expect.any(String) },
          approval: 'owner',
          checked: true,
        },
      ],
    });
    expect(result.drafts?.[0]).not.toHaveProperty('refused');
  });

  it('is blocked as the order would be, and still shows it', async () => {
    const result = await dryRun('buy 100000 AAPL');
    expect(result).toMatchObject({
      status: 'blocked',
      error: { code: 'insufficient_funds' },
      drafts: [{ text: 'BUY 100,000 AAPL, market', refused: { code: 'insufficient_funds' } }],
    });
  });

  it('says of a cancellation whether it needs approval', async () => {
    expect(await dryRun('cancel my KO order')).toMatchObject({
      status: 'done',
      drafts: [{ kind: 'cancel', text: expect.stringMatching(/^CANCEL BUY 2 KO/), approval: 'none' }],
    });
  });

  it('counts no draft as an order: a claim that it was bought is corrected', async () => {
    const order = { symbol: 'AAPL', side: 'buy', qty: '2', type: 'market' };
    const claiming = await dryRun('buy 2 AAPL', callingModel('place_order', order, 'Done. I bought 2 AAPL.'));
    expect(claiming).toMatchObject({ status: 'failed', error: { code: 'model_error' } });
    expect(claiming.text).toContain('Correction: nothing was bought');
    const honest = await dryRun('buy 2 AAPL', callingModel('place_order', order, 'I would propose to buy 2 AAPL.'));
    expect(honest).toMatchObject({ status: 'done', text: 'I would propose to buy 2 AAPL.' });
  });
});

it.each([
  ['send_slack_summary', '#trading'],
  ['send_gmail_summary', 'ada@example.com'],
])('a dry run sends and proposes no message by %s', async (name, recipient) => {
  const world = await createWorld('approve');
  const agent = await world.agent({ dryRun: true, model: callingModel(name, { recipient }) });
  const { result } = await play(agent.run({ prompt: `send my portfolio to ${recipient}` }, options()));
  expect(result).toMatchObject({
    status: 'done',
    drafts: [{ kind: 'message', approval: 'owner', message: { recipient }, shows: { Text: expect.any(String) } }],
  });
  expect(world.phone.posts).toEqual([]);
  expect(world.gateway.sent).toEqual([]);
});

/** Calls one tool, then answers. */
function callingModel(name: string, args: object, answer = 'That is what it would do.'): ChatModel {
  return {
    name: 'scripted',
    builtin: false,
    async *stream(messages: BaseMessage[]) {
      const isAnswered = messages.some(({ type }) => type === 'tool');
      yield isAnswered
        ? new AIMessageChunk({ content: answer })
        : new AIMessageChunk({
            content: '',
            tool_call_chunks: [{ name, args: JSON.stringify(args), id: 'call', index: 0, type: 'tool_call_chunk' }],
          });
    },
  };
}

function listFiles(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name), 'latin1')]),
  );
}
