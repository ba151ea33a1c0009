import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitAnswer } from '../../../../src/cli/chat/chat-state.ts';

describe('an answer that is still being written', () => {
  it.each([
    ['Half a li', '', 'Half a li'],
    ['One\nTw', 'One\n', 'Tw'],
    ['One\n| A |\n| - |\n', 'One\n', '| A |\n| - |\n'],
    ['| A |\n| - |\nAf', '| A |\n| - |\n', 'Af'],
    ['| A |\n| - |\n| 1', '', '| A |\n| - |\n| 1'],
    ['| A |\n\n', '| A |\n\n', ''],
    ['```sh\nls\n', '', '```sh\nls\n'],
    ['```sh\nls\n```\nx', '```sh\nls\n```\n', 'x'],
    ['````\n```\nstill\n', '', '````\n```\nstill\n'],
    ['|\n```\n', '|\n', '```\n'],
  ])('of %j settles %j', (answer, settled, open) => {
    expect(splitAnswer(answer)).toEqual({ settled, open });
  });

  it('loses nothing and takes nothing back, however it is cut to pieces', () => {
    const text = fc.array(fc.constantFrom('a', '\n', '|', '```', ' ', '- ', '**'), { maxLength: 40 });
    fc.assert(
      fc.property(text, (pieces) => {
        let before = '';
        for (let end = 0; end <= pieces.length; end++) {
          const { settled, open } = splitAnswer(pieces.slice(0, end).join(''));
          expect(settled + open).toBe(pieces.slice(0, end).join(''));
          expect(settled.startsWith(before)).toBe(true);
          before = settled;
        }
      }),
    );
  });
});
