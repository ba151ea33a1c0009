import { describe, expect, it } from 'vitest';
import { LONGEST_RESULT, resultText } from '../../../../src/mcp/client/connection.ts';

const text = (words: string) => resultText({ content: [{ type: 'text', text: words }] });

describe('what a server answers', () => {
  it('is its text, without what draws, rings or hides', () => {
    expect(text('a\u001b[2J\u0007b\r\nc\u202e')).toEqual({ ok: true, text: 'ab\nc', cut: false });
  });

  it('is its structure where it has no text', () => {
    expect(resultText({ content: [], structuredContent: { price: '1' } }).text).toBe('{"price":"1"}');
  });

  it('is named where it is no text', () => {
    expect(
      resultText({
        isError: true,
        content: [
          { type: 'image', data: 'AA==', mimeType: 'image/png' },
          { type: 'resource_link', name: 'report', uri: 'https://example.com/r' },
          { type: 'resource', resource: { uri: 'a:b', text: 'inside' } },
        ],
      }),
    ).toEqual({ ok: false, cut: false, text: '[image: not text]\n[report: https://example.com/r]\ninside' });
  });

  it('is cut at 32 KiB of UTF-8, between characters', () => {
    const { text: cut } = text('é'.repeat(LONGEST_RESULT));
    expect(cut.startsWith('é'.repeat(LONGEST_RESULT / 2))).toBe(true);
    expect(cut).not.toContain('\ufffd');
    expect(cut.endsWith(`[cut here: the answer had ${LONGEST_RESULT * 2} bytes]`)).toBe(true);
    const odd = text(`x${'é'.repeat(LONGEST_RESULT)}`).text;
    expect(odd.split('\n')[0]).toBe(`x${'é'.repeat(LONGEST_RESULT / 2 - 1)}`);
  });
});
