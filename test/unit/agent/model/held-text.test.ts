import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WrittenCallFilter } from '../../../../src/agent/model/held-text.ts';

function stream(pieces: readonly string[]) {
  const held = new WrittenCallFilter();
  const shown = pieces.map((piece) => held.push(piece)).join('');
  return { shown, rest: held.rest() };
}

it('lets words through as they come', () => {
  expect(stream(['All ', 'is ', 'well.'])).toEqual({ shown: 'All is well.', rest: '' });
});

it.each([
  '```json\n{"name":"get_quote","arguments":{"symbols":["AAPL"]}}\n```',
  '<tool_call>{"name":"whoami","arguments":{}}</tool_call>',
  '{"name": "whoami", "arguments": {}}',
  '[{"name": "whoami", "arguments": {}}]',
  '[TOOL_CALLS] [{"name": "whoami", "arguments": {}}]',
])('shows nothing of %s, however it is cut into pieces', (call) => {
  for (const before of ['', 'Let me see.\n']) {
    for (let size = 1; size < 12; size++) {
      const pieces = (before + call).match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
      const { shown, rest } = stream(pieces);
      expect(before).toContain(shown.trimEnd());
      expect(shown + rest).toBe(before + call);
    }
  }
});

it('loses and changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z`<{[" \n]{0,6}$/)), (pieces) => {
      const { shown, rest } = stream(pieces);
      expect(shown + rest).toBe(pieces.join(''));
    }),
  );
});
