import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import type { OpenAccount } from '../../../src/gateway/broker/accounts.ts';
import { alpacaPreset } from '../../../src/gateway/broker/mcp/alpaca-preset.ts';
import { maySubmitAgain, settleOrderByLookup, submitIntent } from '../../../src/gateway/orders/order-submission.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { type BrokerFixture, openBench } from '../../contract/broker/bench.ts';
import type { Mishap } from '../../contract/broker/wire.ts';
import { MCP_TOKEN, startAlpacaMcp } from './support/alpaca-mcp-server.ts';
import { startIbkr } from './support/ibkr-stand-in.ts';
import { withoutOurId } from './support/mcp-mappings.ts';
import { NOON, startSnaptrade } from './support/snaptrade-stand-in.ts';
import { startTradier } from './support/tradier-stand-in.ts';

interface Started extends Omit<BrokerFixture, 'unknownSymbol'> {
  readonly taken: readonly unknown[];
}

const brokers: Record<string, () => Promise<Started>> = {
  async tradier() {
    const server = await startTradier();
    const { token, account: accountNumber, taken, close } = server;
    const settings = { kind: 'tradier', credentials: 'access_token', url: server.url };
    return { settings, credentials: { token, accountNumber }, symbol: 'GEAR', taken, close };
  },
  async ibkr() {
    const server = await startIbkr();
    const { account, taken, close } = server;
    const settings = { kind: 'ibkr', credentials: 'gateway_session', url: server.url, orders_every: 0 };
    return { settings, credentials: { account }, symbol: 'GEAR', now: () => NOON, taken, close };
  },
  async snaptrade() {
    const server = await startSnaptrade();
    const { credentials, taken, close } = server;
    const settings = { kind: 'snaptrade', credentials: 'snaptrade_user', url: server.url };
    return { settings, credentials, symbol: 'GEAR', now: () => NOON, taken, close };
  },
  mcp: () => byMcp({ preset: 'alpaca' }),
  'mcp without our id': () => byMcp({ mapping: withoutOurId(alpacaPreset) }),
};

/** Alpaca by its own MCP server. @param mapped which of its tools is what */
async function byMcp(mapped: Record<string, unknown>): Promise<Started> {
  const { url, pins, placed: taken, close } = await startAlpacaMcp();
  const settings = { kind: 'mcp', url, pins, environment: 'paper', ...mapped };
  return { settings, credentials: { accessToken: MCP_TOKEN }, symbol: 'AAPL', now: () => NOON, taken, close };
}

const DAY_MS = 24 * 60 * 60_000;

/**
 * An order whose intent is in the journal goes out, and the broker's answer to it is lost.
 * @param afterwards what becomes of the look-ups
 */
async function lost(kind: string, afterwards?: Mishap) {
  const started = await (brokers[kind] as () => Promise<Started>)();
  const { broker, traits, order, wire } = await openBench({ ...started, unknownSymbol: 'NOSUCH' });
  const opened: OpenAccount = { ...broker, traits, at: { name: kind, label: kind, isUnattended: true } };
  const draft = order('limit', { expires_at: new Date(NOON + 60_000).toISOString() });
  const { client_order_id: clientOrderId } = draft;
  const journal = createSqliteGatewayStores(new Database(':memory:')).orders;
  const intent = { sub: 'alice', clientOrderId, draft };
  let time = NOON;
  await journal.claim({ ...intent, digest: 'digest', approval: { issuer: 'https://id.example', jti: 'j' } }, time);
  const context = {
    ...{ journal, absence: { missed: () => true, forget: () => undefined }, adopted: async () => undefined },
    clock: { now: () => time, monotonic: () => time, sleep: async () => {} },
  };
  const send = async () => {
    wire.mishap = 'lost answer';
    const answer = await broker.submit(draft);
    wire.mishap = afterwards;
    return answer;
  };
  const submitted = submitIntent(intent, send, opened, { ...context, stopped: async () => undefined });
  const later = async (isListed = true) => {
    const asked = isListed ? opened : { ...opened, orderByClientOrderId: async () => undefined };
    time += 100 * DAY_MS;
    const entry = await journal.find('alice', clientOrderId);
    if (entry === undefined) throw new Error('the journal has lost it');
    return {
      entry,
      settled: await settleOrderByLookup(entry, asked, context),
      again: maySubmitAgain(entry, traits, time),
    };
  };
  return { started, submitted, later };
}

describe('an order whose answer is lost after the broker took it', () => {
  it.each(['tradier', 'ibkr', 'mcp'])('is found at %s: placed, and one order', async (kind) => {
    const { started, submitted } = await lost(kind);
    expect(await submitted).toMatchObject({ state: 'placed' });
    expect(started.taken).toHaveLength(1);
    await started.close();
  });

  it.each(['tradier', 'ibkr'])(
    'and that %s lists no more stays unknown: it never counts as not placed, nor is it sent again',
    async (kind) => {
      const { started, submitted, later } = await lost(kind, { status: 500 });
      await expect(submitted).rejects.toMatchObject({ code: 'outcome_unknown' });
      const { entry, settled, again } = await later(false);
      expect([entry.state, settled, again]).toEqual(['unknown', undefined, false]);
      expect(started.taken).toHaveLength(1);
      await started.close();
    },
  );

  it.each(['snaptrade', 'mcp without our id'])(
    'stays unknown at %s, which finds nothing by an id: for the person, and one order',
    async (kind) => {
      const { started, submitted, later } = await lost(kind);
      await expect(submitted).rejects.toMatchObject({ code: 'outcome_unknown' });
      const { entry, settled, again } = await later();
      expect([entry.state, settled, again]).toEqual(['unknown', undefined, false]);
      expect(started.taken).toHaveLength(1);
      await started.close();
    },
  );
});
