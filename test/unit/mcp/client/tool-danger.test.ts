import { describe, expect, it } from 'vitest';
import { compareTools } from '../../../../src/mcp/client/compared-tools.ts';
import { detectToolDanger } from '../../../../src/mcp/client/tool-danger.ts';
import type { McpServerTool } from '../../../../src/mcp/client/tool-text.ts';
import { computeToolPin } from '../../../../src/net/tool-pin.ts';

const tool = (
  name: string,
  fields: readonly string[] = [],
  annotations: McpServerTool['annotations'] = undefined,
): McpServerTool => ({
  name,
  inputSchema: { type: 'object', properties: Object.fromEntries(fields.map((field) => [field, {}])) },
  annotations,
});

describe('a tool of somebody else’s', () => {
  it.each([
    // Those of alpaca-mcp-server that write.
    ...['place_stock_order', 'place_crypto_order', 'place_option_order', 'replace_order_by_id'],
    ...['cancel_order_by_id', 'cancel_all_orders', 'close_position', 'close_all_positions'],
    ...['exercise_options_position', 'placeOrder', 'PLACE-ORDER', 'orders.create', 'alpaca_submit_order'],
    ...['buy', 'sell_stock', 'buy_shares', 'trade', 'trade_stock', 'execute_trade', 'liquidate_all'],
    ...['get_and_cancel_order', 'order_create', 'roll_options', 'open_position'],
  ])('%s could trade, by its name', (name) => {
    expect(detectToolDanger(tool(name))).toBe('orders');
  });

  it.each([
    ...['transfer', 'transfer_funds', 'create_ach_transfer', 'withdraw', 'bank_withdraw', 'deposit_cash'],
    ...['send_money', 'pay_bill', 'create_payment', 'swap_tokens', 'delete_transfer'],
  ])('%s could move money, by its name', (name) => {
    expect(detectToolDanger(tool(name))).toBe('money');
  });

  it.each([
    ['do_it', ['symbol', 'side', 'qty'], 'orders'],
    ['run', ['ticker', 'SIDE', 'Notional'], 'orders'],
    ['go', ['order_id'], 'orders'],
    // A name that reads is no proof without its server's word.
    ['get_it_done', ['symbol', 'side', 'quantity'], 'orders'],
    ['do_it', ['amount', 'recipient'], 'money'],
    ['submit', ['amount', 'relationship_id', 'direction'], 'money'],
  ] as const)('%s with %j could, by its arguments', (name, fields, danger) => {
    expect(detectToolDanger(tool(name, fields))).toBe(danger);
  });

  it('could, by arguments within others, and by what an argument may be', () => {
    const action = { type: 'string', enum: ['BUY', 'SELL'] };
    const leg = { type: 'object', properties: { action, shares: { type: 'number' } } };
    const inputSchema = {
      type: 'object',
      properties: { legs: { type: 'array', items: { anyOf: [{ type: 'null' }, leg] } } },
    };
    expect(detectToolDanger({ name: 'perform', inputSchema })).toBe('orders');
  });

  it.each([
    ...['get_orders', 'get_order_by_id', 'list_positions', 'get_open_position', 'get_all_positions'],
    ...['search', 'headlines', 'get_news', 'post', 'trade_history', 'get_buy_signals', 'list_transfers'],
    ...['get_account_activities', 'create_watchlist', 'update_watchlist', 'market_clock', 'option_chain'],
  ])('%s is not refused', (name) => {
    expect(detectToolDanger(tool(name, ['status', 'symbols', 'limit']))).toBeUndefined();
  });

  it('that only reads may take what an order has, where its name and its server both say so', () => {
    const fields = ['symbol', 'side', 'qty'];
    expect(detectToolDanger(tool('estimate_cost', fields, { readOnlyHint: true }))).toBeUndefined();
    expect(detectToolDanger(tool('cost', fields, { readOnlyHint: true }))).toBe('orders');
    expect(detectToolDanger(tool('place_order', [], { readOnlyHint: true }))).toBe('orders');
  });

  it('is refused where its server marks it as destructive', () => {
    expect(detectToolDanger(tool('wipe', [], { destructiveHint: true }))).toBe('destructive');
    expect(detectToolDanger(tool('wipe', [], { destructiveHint: true, readOnlyHint: true }))).toBeUndefined();
    expect(detectToolDanger(tool('wipe', [], { destructiveHint: false }))).toBeUndefined();
  });

  it('that was allowed is off once it is dangerous, until its owner insists', () => {
    const wipe = tool('wipe', [], { destructiveHint: true });
    const allowed = { tools: ['wipe'], pins: { wipe: computeToolPin(wipe) } };
    expect(compareTools({ ...allowed, unsafe: [] }, [wipe])).toMatchObject([{ state: 'unsafe' }]);
    expect(compareTools({ ...allowed, unsafe: ['wipe'] }, [wipe])).toMatchObject([{ state: 'offered' }]);
  });
});
