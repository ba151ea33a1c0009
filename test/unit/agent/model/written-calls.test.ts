import { describe, expect, it } from 'vitest';
import { classifyResponseText, findWrittenCalls } from '../../../../src/agent/model/written-calls.ts';

const names = ['get_quote', 'place_order', 'whoami'];
const read = (text: string, mayBeJson = false) => classifyResponseText(text, names, mayBeJson);
const quote = '{"name":"get_quote","arguments":{"symbols":["AAPL"]}}';
const call = { name: 'get_quote', args: { symbols: ['AAPL'] } };

describe('a message that is nothing but calls', () => {
  it.each([
    ['bare', quote],
    ['in a block, as Qwen2.5-Coder writes it', `\`\`\`json\n${quote}\n\`\`\``],
    ['in a block of no language', `\`\`\`\n${quote}\`\`\``],
    ['in tags, as Hermes and Qwen do', `<tool_call>\n${quote}\n</tool_call>`],
    ['in <tools>, as Qwen2.5-Coder does at times', `<tools>\n${quote}\n</tools>`],
    ['with parameters, as Llama 3.1 does', '{"name":"get_quote","parameters":{"symbols":["AAPL"]}}'],
    ['as OpenAI frames it', `{"type":"function","function":${quote}}`],
    ['with arguments as a string', '{"name":"get_quote","arguments":"{\\"symbols\\":[\\"AAPL\\"]}"}'],
    ['as an array, as Mistral does', `[TOOL_CALLS] [${quote}]`],
    ['under tool_calls', `{"tool_calls":[${quote}]}`],
  ])('is those: %s', (_, text) => {
    expect(read(text)).toEqual({ kind: 'calls', calls: [call] });
  });

  it('may be several, in one block or in some', () => {
    const two = { kind: 'calls', calls: [call, { name: 'whoami', args: {} }] };
    const whoami = '{"name":"whoami","arguments":{}}';
    for (const text of [
      `${quote}\n${whoami}`,
      `[${quote},${whoami}]`,
      `\`\`\`json\n${quote}\n${whoami}\n\`\`\``,
      `<tool_call>${quote}</tool_call>\n<tool_call>${whoami}</tool_call>`,
    ])
      expect(read(text)).toEqual(two);
  });
});

describe('a message that nearly is a call', () => {
  it.each([
    ['with words before it', `Let me look:\n\`\`\`json\n${quote}\n\`\`\``],
    ['with words after it', `${quote}\nThis gets the price.`],
    ['cut off', quote.slice(0, -3)],
    ['with a trailing comma', '{"name":"get_quote","arguments":{"symbols":["AAPL"],}}'],
    ['in single quotes', "{'name': 'get_quote', 'arguments': {'symbols': ['AAPL']}}"],
    ['in a tag that never ends', `<tool_call>${quote}`],
    ['written as a function', 'get_quote({"symbols": ["AAPL"]})'],
    ['as a turn gone wrong, as a base model writes it', '<|im_end|>\n<|im_start|>user'],
    ['as arguments alone', '{"symbols":["AAPL"]}'],
    ['with both arguments and parameters', '{"name":"get_quote","arguments":{},"parameters":{}}'],
    ['with more beside them', '{"name":"get_quote","arguments":{},"approved":true}'],
    ['with a call among data', `[${quote},{"symbol":"KO"}]`],
  ])('is no answer and no call: %s', (_, text) => {
    expect(read(text).kind).toBe('nearly');
  });
});

describe('words', () => {
  it.each([
    'AAPL is at $180.00 (simulated).',
    'You can call me by name: "Alice". My arguments: none.',
    '[x] done\n[ ] open',
    '```\nAAPL  180.00\nKO     60.00\n```',
    'Your name is on the account, and the parameters {limit} apply.',
    '- **AAPL** {180.00}\n- **KO** {60.00}',
    '',
  ])('stay words: %s', (text) => {
    expect(read(text)).toEqual({ kind: 'words' });
  });

  it('are JSON where the person asked for it, but a call is none', () => {
    expect(read('{"cash":"100.00"}').kind).toBe('nearly');
    expect(read('{"cash":"100.00"}', true).kind).toBe('words');
    expect(read(`Here: ${quote}`, true).kind).toBe('nearly');
  });
});

it('takes time that grows with the text alone, whatever is nested or never closed', () => {
  const started = performance.now();
  for (const piece of ['{', '[{', '{"name":"a","arguments":', '```json\n{', '<tool_call>', '"{']) {
    read(piece.repeat(40_000));
    findWrittenCalls(piece.repeat(40_000));
  }
  expect(performance.now() - started).toBeLessThan(3_000);
});

it('finds calls that stand within other text', () => {
  expect(findWrittenCalls(`say ${quote} and {"x":1}`)).toEqual([call]);
});
