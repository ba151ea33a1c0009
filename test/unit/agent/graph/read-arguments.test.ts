import { expect, it } from 'vitest';
import { parseToolArguments } from '../../../../src/agent/graph/tool-node.ts';
import { getBars } from '../../../../src/tools/get-bars.ts';
import type { DirectTool } from '../../../../src/tools/tool.ts';
import { whoami } from '../../../../src/tools/whoami.ts';

const read = (tool: DirectTool, args: Record<string, unknown>) =>
  parseToolArguments(tool, { id: 'call_1', name: tool.name, args });

it.each([[{}], [{ input: '' }], [{ reason: 'the person asked', verbose: true }]])(
  'whoami takes nothing, and so anything: %j',
  (args) => {
    expect(read(whoami, args)).toEqual({});
  },
);

it('a tool that takes arguments takes no others', () => {
  expect(() => read(getBars, { symbol: 'AAPL', input: '' })).toThrow(/unrecognized key/i);
});
