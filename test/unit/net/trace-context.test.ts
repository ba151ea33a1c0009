import { describe, expect, it } from 'vitest';
import { runInLogContext } from '../../../src/machine/log-context.ts';
import {
  createTrace,
  parseTraceparent,
  runInTrace,
  tracedFetch,
  traceHeaders,
} from '../../../src/net/trace-context.ts';

const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

describe('a traceparent', () => {
  it.each([`00-${traceId}-${spanId}-01`, `00-${traceId}-${spanId}-00`, `01-${traceId}-${spanId}-01-later`])(
    'is valid: %s',
    (header) => expect(parseTraceparent(header)).toEqual({ traceId, spanId }),
  );

  it.each([
    undefined,
    '',
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01\n`,
  ])('is ignored: %j', (header) => expect(parseTraceparent(header)).toBeUndefined());

  it('is what is sent in a trace, and nothing is sent outside of one', async () => {
    const trace = createTrace();
    expect(traceHeaders()).toEqual({});
    const header = runInLogContext({ trace }, traceHeaders).traceparent;
    expect(parseTraceparent(header)).toEqual(trace);
    const seen: (string | null)[] = [];
    const send = tracedFetch(async (input, init) => {
      seen.push(new Request(input, init).headers.get('traceparent'));
      return new Response();
    });
    await send('https://id.example', { headers: { accept: 'text/plain' } });
    await runInLogContext({ trace }, () => send(new Request('https://id.example')));
    expect(seen).toEqual([null, header]);
  });
});

it('work without a trace gets its own, and work in one continues it', () => {
  const outer = runInTrace(() => [traceHeaders(), runInTrace(traceHeaders)]);
  expect(outer[0]).toEqual(outer[1]);
  expect(runInTrace(traceHeaders)).not.toEqual(outer[0]);
});
