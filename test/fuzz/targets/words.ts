import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classifyResponseText, findWrittenCalls } from '../../../src/agent/model/written-calls.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { readActivityFile } from '../../../src/app/imports.ts';
import { readLotChoices } from '../../../src/app/portfolio/gains.ts';
import { verifyReceipt } from '../../../src/approval/receipts/verify-receipt.ts';
import { parseAccessToken } from '../../../src/auth/session/access-token.ts';
import { parsePrivateJwk } from '../../../src/auth/session/dpop-key.ts';
import { parseSlashCommand } from '../../../src/cli/chat/slash-commands.ts';
import { parseAge, parseDuration } from '../../../src/cli/options/duration.ts';
import { parseConfig } from '../../../src/config/config-file.ts';
import { parseYaml } from '../../../src/config/yaml-file.ts';
import { type CedarEngine, loadCedar } from '../../../src/gateway/policy/cedar/cedar-engine.ts';
import { parseRules } from '../../../src/gateway/policy/cedar/rule-text.ts';
import { limitsSchema } from '../../../src/gateway/policy/rules.ts';
import { parseApprovalSubject } from '../../../src/home/identity-provider/approval-subject.ts';
import { parseAssertionField } from '../../../src/home/phone/credential-json.ts';
import { homeSettingsSchema } from '../../../src/home/settings/home-settings.ts';
import { parseRetryAfterMs } from '../../../src/net/retry-after.ts';
import { parseDays } from '../../../src/sandbox/market/replay/day-rows.ts';
import { parseCsvRows, parseJsonRows } from '../../../src/sandbox/market/replay/read-folder.ts';
import { safeLine, safeText } from '../../../src/text/sanitize.ts';
import { readStreamMessages } from '../../../src/tools/gateway/event-stream.ts';
import { parseAlert } from '../../../src/trading/alert.ts';
import {
  contractMultiplier,
  formatQuantity,
  formatUnitPrice,
  parseOptionSymbol,
  symbolAssetClass,
  symbolTicks,
} from '../../../src/trading/asset-class.ts';
import { describeOptionSymbol } from '../../../src/trading/contract-words.ts';
import { decimalString, formatPrice, isOnTick, parseDecimal, toPlain } from '../../../src/trading/decimal.ts';
import { type OpenTarget, reads } from './target.ts';

const NOW = Date.parse('2026-11-25T17:00:00Z');
const readsFile =
  (read: (file: string) => unknown, ...seeds: readonly string[]): OpenTarget =>
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'fuzzed-'));
    const file = join(folder, 'file');
    return {
      seeds: () => seeds,
      read(text) {
        writeFileSync(file, text);
        return read(file);
      },
      close: async () => rmSync(folder, { recursive: true }),
    };
  };

export const wordTargets: Readonly<Record<string, OpenTarget>> = {
  'a sentence': reads(
    parsePrompt,
    'buy 5 AAPL limit 180 with a stop at 170 and take profit at 200',
    'sell half my MSFT at 400 or stop 350, then quote KO',
    'every monday at 10:00 buy $50 of VTI until march',
    'buy 1 AAPL 190 call exp 18 dec 2026 at 3.20',
    'rebalance to 60% VTI, 40% BND',
    'cancel my AAPL order and change my KO order to 21',
    'alert me when NVDA drops below 100',
    'kaufe 5 AAPL zu 180',
    'compra cinco acciones de KO',
    'send my portfolio summary to #trading on slack',
  ),
  'a slash command': reads(parseSlashCommand, '/approvals', '/model gpt --base-url http://x', '/help me'),
  'an alert': reads(parseAlert, 'NVDA < 100', 'AAPL moves 5%', 'KO > 70.5'),
  'a duration': reads(parseDuration, '5m', '2h', '90s', '1d'),
  'an age': reads(parseAge, '5m', '30d', '2w'),
  'calls of a model': reads(
    findWrittenCalls,
    '<tool_call>{"name":"get_quote","arguments":{"symbols":["KO"]}}</tool_call>',
  ),
  'a written call': reads(
    (text) => classifyResponseText(text, ['get_quote', 'place_order'], true),
    '{"name": "place_order", "arguments": {"symbol": "KO", "side": "buy", "qty": "1"}}',
    '```json\n{"tool":"get_quote","parameters":{"symbols":["KO"]}}\n```',
    'get_quote(symbols=["KO"])',
  ),
  'an access token as it is kept': reads(parseAccessToken, '{"token":"x","expires_at":1,"scopes":["orders:read"]}'),
  'a private key as it is kept': reads(parsePrivateJwk, '{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"d"}'),
  'a receipt as it is kept': reads((text) => verifyReceipt(text, () => true), '{"signature":{}}'),
  'details as they are sent': reads(
    (text) => parseApprovalSubject(text, { resource: 'https://gw.example', now: NOW }),
    '[{"type":"x"}]',
  ),
  'a passkey’s answer as it is sent': reads(parseAssertionField, '{"id":"x","response":{}}'),
  'a pause that is asked for': reads((text) => parseRetryAfterMs(text, NOW), '120', 'Wed, 21 Oct 2026 07:28:00 GMT'),
  'a decimal': reads(
    (text) => {
      if (!decimalString.safeParse(text).success) return;
      assert.ok(parseDecimal(toPlain(text)).eq(parseDecimal(text)));
      assert.ok(
        isOnTick(formatPrice(text), [
          { from: '1', decimals: 2 },
          { from: '0', decimals: 4 },
        ]),
      );
    },
    '180.25',
    '0.00001',
    '-12',
  ),
  'a symbol': reads(
    (symbol) => {
      const contract = parseOptionSymbol(symbol);
      if (contract !== undefined) {
        assert.equal(symbolAssetClass(symbol), 'us_option');
        assert.match(contract.expiry, /^20\d\d-\d\d-\d\d$/);
        describeOptionSymbol(symbol);
      }
      for (const say of [symbolTicks, contractMultiplier]) say(symbol);
      formatQuantity(symbol, '1');
      formatUnitPrice(symbol, '1.5');
    },
    'AAPL261218C00190000',
    'BTC/USD',
    'BRK.B',
  ),
  'text to be shown': reads((text) => {
    const shown = safeText(text);
    assert.equal(safeText(shown), shown);
    // Nothing that draws, rings or turns around; and a line is one.
    assert.doesNotMatch(safeLine(text), /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b]/u);
  }, 'a\u202eb\u001b[31m'),
  'a history': readsFile(
    (file) => readActivityFile(file, NOW),
    'date,type,symbol,qty,price,amount\n2025-03-31,buy,KO,5,60.10,\n2025-04-01,dividend,KO,,,2.30\n',
    '\ufeffdate,type,symbol,qty,from,fraction\n2025-03-31,spin_off,NEW,5,OLD,0.2\n2025-03-31,split,KO,2,,\n',
  ),
  'named lots': readsFile((file) => readLotChoices(file), 'symbol,sold,acquired,qty\nKO,2026-03-31,2025-01-02,5\n'),
  'days as CSV': reads(
    (text) => parseDays('file', parseCsvRows('file', text)),
    'date,open,high,low,close,volume\n2026-03-31,1,3,0.5,2,100\n',
  ),
  'days as JSON': reads(
    (text) => parseDays('file', parseJsonRows('file', text)),
    '{"bars":[{"t":"2026-03-31T04:00:00Z","o":1,"h":3,"l":0.5,"c":2,"v":100}]}',
  ),
  'limits.yaml': reads(
    (text) => parseYaml(limitsSchema, text, 'limits.yaml'),
    'version: 1\naccounts:\n  "*":\n    max_order_notional: "5000"\n    symbols: {allow: [KO, PEP]}\n    max_day_orders: 10\n',
    'accounts: &a\n  X: &b {max_day_loss: "100"}\n  Y: *b\n',
  ),
  'config.yaml': reads(
    (text) => parseConfig(text, 'config.yaml'),
    'default_profile: mine\nprofiles:\n  mine:\n    issuer: https://id.example\n    gateway: https://gw.example\n    login_client: {client_id: trade-agent}\n',
    'mcp_servers: {news: {command: node, args: [x], tools: [search]}}\nalerts: [{symbol: KO, above: 70}]\n',
  ),
  'home.yaml': reads(
    (text) => parseYaml(homeSettingsSchema, text, 'home.yaml'),
    'address: https://home.example\nlisten: 127.0.0.1:4780\nproxy: {from: [127.0.0.1]}\n',
    // It was an error of ours once.
    'address: htt[s://home.example:8443\ntls: {cert: a.pem, key: b.pem}\n',
    'address: https://home.example:8443\ntls: {cert: a.pem, key: b.pem}\n',
  ),
  'rules in Cedar': async () => {
    const engine: CedarEngine = await loadCedar();
    return {
      seeds: () => [
        '@id("no-tobacco")\n@message("no tobacco")\nforbid (principal, action == Action::"place_order", resource)\nwhen { context.symbol == "PM" };\n',
        '@id("one-account") forbid (principal, action, resource == Account::"PA1") unless { context.side == "sell" && decimal("1.5").lessThan(decimal("2.0")) };\n',
        'permit (principal, action, resource);\n',
      ],
      read: (text) => parseRules(engine, [{ origin: 'policies', file: 'rules.cedar', text }]),
    };
  },
  'a stream of events': reads(async (text) => {
    const bytes = new TextEncoder().encode(text);
    const half = bytes.length >> 1;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes.subarray(0, half));
        controller.enqueue(bytes.subarray(half));
        controller.close();
      },
    });
    for await (const message of readStreamMessages(body, 10_000))
      if (!message.comment) assert.match(message.id, /^\d{1,15}$/);
  }, 'id: 1\nevent: proposal\ndata: {"id":"x"}\n\n: ping\n\nid: 2\rdata: a\rdata: b\r\r'),
};
