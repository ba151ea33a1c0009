import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';

const { narrow } = (await import(new URL('../../../scripts/bundle/string-width.mjs', import.meta.url).href)) as {
  narrow: RegExp;
};

/** Every character the short way takes for one column. */
const characters = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter((text) =>
  narrow.test(text),
);

describe('the width of text without Unicode tables', () => {
  it('is that of string-width, for each character, at the start and behind another', () => {
    expect(characters.length).toBeGreaterThan(800);
    const wrong = characters.filter((text) => stringWidth(text) !== 1 || stringWidth(`a${text}b`) !== 3);
    expect(wrong).toEqual([]);
  });

  it.each([
    ['combining marks', 'e\u0301'],
    ['wide characters', '日本'],
    ['emoji', '👍'],
    ['a sign made emoji by its variation selector', '↔\ufe0f'],
    ['control characters', 'a\tb'],
    ['colors', '\u001b[31mred\u001b[0m'],
    ['a soft hyphen', 'soft\u00adhyphen'],
    ['zero-width characters', 'a\u200bb'],
  ])('is not used for %s', (_, text) => {
    expect(narrow.test(text)).toBe(false);
  });
});
