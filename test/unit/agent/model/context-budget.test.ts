import { AIMessage, type BaseMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { fitHistory, resolveContextWindow } from '../../../../src/agent/model/create-chat-model.ts';

function turn(number: number, characters: number): BaseMessage[] {
  const id = `tc_${number}`;
  return [
    new HumanMessage(`prompt ${number}`),
    new AIMessage({ content: '', tool_calls: [{ id, name: 'get_bars', args: {} }] }),
    new ToolMessage({ tool_call_id: id, name: 'get_bars', content: JSON.stringify('x'.repeat(characters)) }),
    new AIMessage(`answer ${number}`),
  ];
}
const conversation = (turns: number, characters: number) => [
  new SystemMessage('You look after an account.'),
  ...Array.from({ length: turns }, (_, at) => turn(at, characters)).flat(),
  new HumanMessage('the latest'),
];

describe('the window', () => {
  it.each([
    ['gpt-4o-mini', undefined, 128_000],
    ['openai/gpt-5-mini', undefined, 400_000],
    ['llama3.2', undefined, undefined],
    ['llama3.2', 8192, 8192],
  ])('of %s, configured as %s, is %s', (name, configured, window) => {
    expect(resolveContextWindow(name, configured)).toBe(window);
  });
});

describe('a conversation', () => {
  it('that fits, or whose model’s window nobody knows, stays as it is', () => {
    const messages = conversation(3, 100);
    for (const window of [undefined, 50_000]) {
      expect(fitHistory(messages, window, 1000)).toMatchObject({
        messages,
        shortened: false,
        tooLong: false,
      });
    }
  });

  it('loses its oldest results first, and every call keeps an answer', () => {
    const { messages, shortened, tooLong } = fitHistory(conversation(6, 3000), 8192, 2000);
    expect([shortened, tooLong, messages.length]).toEqual([true, false, 26]);
    const answers = messages.filter((message) => ToolMessage.isInstance(message)).map(({ text }) => text);
    expect(answers[0]).toContain('left_out');
    expect(answers.at(-1)).toContain('xxx');
  });

  it('then loses its oldest prompts with all that followed, never the fixed text or the latest prompt', () => {
    const { messages, tooLong } = fitHistory(conversation(200, 400), 8192, 2000);
    expect(tooLong).toBe(false);
    expect(messages.map(({ type }) => type).slice(0, 3)).toEqual(['system', 'human', 'ai']);
    expect(messages.at(-1)?.text).toBe('the latest');
    expect(messages.length).toBeLessThan(801);
  });

  it('begins the same in most turns that follow each other, so that a prompt cache holds', () => {
    let changes = 0;
    let before: string[] = [];
    for (let turns = 40; turns < 80; turns++) {
      const now = fitHistory(conversation(turns, 1000), 8192, 2000).messages.map(({ text }) => text);
      // What came before the latest prompt then is what begins the request now.
      if (before.slice(0, -1).some((text, at) => text !== now[at])) changes++;
      before = now;
    }
    expect(changes).toBeLessThan(15);
  });

  it('that can’t be made to fit is said to be too long', () => {
    expect(fitHistory([new HumanMessage('x'.repeat(40_000))], 8192, 2000).tooLong).toBe(true);
  });
});

describe('a long answer', () => {
  it('is cut, says so, and stays JSON', () => {
    const { messages, cut } = fitHistory(turn(1, 90_000), undefined, 0);
    const text = messages[2]?.text ?? '';
    expect(cut).toEqual([{ id: 'tc_1', tool: 'get_bars' }]);
    expect(text.length).toBeLessThan(70_000);
    expect(JSON.parse(text)).toEqual({
      shortened: expect.stringContaining('of 90002 characters'),
      beginning: expect.stringContaining('xxx'),
    });
  });

  it('of somebody else’s server keeps the marks around what is left', () => {
    const text = `<untrusted source="MCP server news">\n${'y'.repeat(90_000)}\n</untrusted>`;
    const { messages } = fitHistory([new ToolMessage({ tool_call_id: 'a', content: text })], undefined, 0);
    expect(messages[0]?.text).toMatch(/^<untrusted source="MCP server news">\ny+\n<\/untrusted>\n\(shortened:/);
  });
});
