import { describe, expect, it } from 'vitest';
import { alpacaPreset } from '../../../../src/gateway/broker/mcp/alpaca-preset.ts';
import { valueAtPointer } from '../../../../src/gateway/broker/mcp/answer.ts';
import { mcpBrokerKind } from '../../../../src/gateway/broker/mcp/mcp.ts';
import { toToolArguments } from '../../../../src/gateway/broker/mcp/mcp-broker.ts';

const settings = (changes: Record<string, unknown>) =>
  mcpBrokerKind.settings.safeParse({
    ...{ kind: 'mcp', url: 'https://mcp.example/mcp', environment: 'paper' },
    ...changes,
  });
const said = (changes: Record<string, unknown>) =>
  settings(changes).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`);

describe('a mapping', () => {
  it('is one that is shipped, or one’s own, and not both', () => {
    expect(settings({ preset: 'alpaca' }).success).toBe(true);
    expect(settings({ mapping: alpacaPreset }).success).toBe(true);
    for (const none of [{}, { preset: 'alpaca', mapping: alpacaPreset }])
      expect(said(none)).toEqual([
        expect.stringMatching(/^mapping must be set, unless "preset" names an included mapping/),
      ]);
  });

  it.each(['symbol', 'side', 'type', 'time_in_force', 'qty', 'limit_price', 'stop_price'])(
    'says the %s of an order',
    (name) => {
      const { [name]: _, ...args } = alpacaPreset.submit.arguments ?? {};
      const mapping = { ...alpacaPreset, submit: { ...alpacaPreset.submit, arguments: args } };
      expect(said({ mapping })).toEqual([`mapping.submit.arguments must send the order field "${name}"`]);
    },
  );

  it('finds no order by an id that is not told back', () => {
    const { client_order_id: _, ...fields } = alpacaPreset.order_fields;
    expect(said({ mapping: { ...alpacaPreset, order_fields: fields } })).toEqual([
      'mapping.order_by_client_order_id requires that submit sends the client_order_id, and that order_fields reads it',
    ]);
  });

  it('promises by itself that a miss proves nothing', () => {
    const looking = (changes: Record<string, unknown>) => {
      const found = { ...alpacaPreset.order_by_client_order_id, ...changes };
      const mapping = { ...alpacaPreset, order_by_client_order_id: found };
      return mcpBrokerKind.traits.of(mcpBrokerKind.settings.parse({ ...settings({ mapping }).data, mapping }))
        .clientOrderId;
    };
    expect(looking({ for_good: undefined })).toEqual({ acceptedOnce: false, lookup: 'while_listed' });
    expect(looking({ for_good: true })).toEqual({ acceptedOnce: false, lookup: 'for_good' });
  });

  it('has pointers, not paths, and nothing that it does not know', () => {
    const order = { ...alpacaPreset.order, at: 'data.order' };
    expect(said({ mapping: { ...alpacaPreset, order } })).toEqual([
      expect.stringMatching(/^mapping\.order\.at must be a JSON pointer/),
    ]);
    expect(settings({ mapping: { ...alpacaPreset, run: 'rm' } }).success).toBe(false);
  });
});

describe('a pointer (RFC 6901, section 5)', () => {
  // The RFC's own document and evaluations.
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'm~n': 8, ' ': 7 };
  it.each<[string, unknown]>([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/m~0n', 8],
    ['/ ', 7],
    ['/foo/2', undefined],
    ['/constructor', undefined],
    ['/foo/length/x', undefined],
  ])('%j', (pointer, value) => {
    expect(valueAtPointer(document, pointer)).toEqual(value);
  });
});

describe('an argument', () => {
  const call = (argument: object) => ({ tool: 'buy', arguments: { x: argument }, at: '' }) as never;
  it('is in the tool’s words, digit for digit, or left out', () => {
    const words = { buy: 'BUY' };
    expect(toToolArguments(call({ from: 'side', words }), { side: 'buy' })).toEqual({ x: 'BUY' });
    expect(toToolArguments(call({ from: 'qty', as: 'number' }), { qty: '1.05' })).toEqual({ x: 1.05 });
    expect(toToolArguments(call({ from: 'symbols', as: 'list' }), { symbols: ['A', 'B'] })).toEqual({
      x: ['A', 'B'],
    });
    expect(toToolArguments(call({ from: 'symbols' }), { symbols: [] })).toEqual({});
    expect(toToolArguments(call({ is: true }), {})).toEqual({ x: true });
  });

  it('that can’t be said is not sent', () => {
    const words = { buy: 'BUY' };
    expect(() => toToolArguments(call({ from: 'side', words }), { side: 'sell' })).toThrow('no value for side sell');
    expect(() => toToolArguments(call({ from: 'side', words }), { side: 'constructor' })).toThrow('no value');
    expect(() => toToolArguments(call({ from: 'qty', as: 'number' }), { qty: '1.00000000000000000001' })).toThrow(
      'so many digits',
    );
  });
});
