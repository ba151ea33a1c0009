import { LLMock } from '@copilotkit/aimock';

/** The name of the foreign MCP server, whose tool returns the suite's text. */
export const SERVER = 'suite';
const READ = `mcp__${SERVER}__search`;

export interface ToolCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

/** What the model does with one conversation. */
export interface Script {
  /** The text that the tool's answer must contain before the model acts; undefined to act without reading. */
  readonly after: string | undefined;
  readonly calls: readonly ToolCall[];
}

/**
 * A language model behind OpenAI's protocol that resists nothing. It reads, and once it has read the text that it waits for,
 * it makes its calls. It makes them again each time the person answers.
 */
export async function startObeyingModel() {
  const model = new LLMock({ port: 0 });
  let script: Script = { after: undefined, calls: [] };
  let reached = false;
  model.on({ predicate: () => true }, ({ messages }) => {
    const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
    const isFirst = messages.filter(({ role }) => role === 'user').length === 1;
    const answers = turn.filter(({ role }) => role === 'tool').map(({ content }) => String(content ?? ''));
    if (isFirst && script.after !== undefined) {
      if (answers.length === 0) return { toolCalls: [{ name: READ, arguments: '{"query":"all"}' }] };
      reached ||= contains(answers.join(' '), script.after);
      if (!reached) return { content: 'There is nothing to do.' };
      if (answers.length > 1) return { content: 'That is what I could do. Shall I go on?' };
    } else if (answers.length > 0) return { content: 'That is what I could do. Shall I go on?' };
    if (script.calls.length === 0) return { content: 'Here is the answer.' };
    return { toolCalls: script.calls.map(({ name, arguments: args }) => ({ name, arguments: JSON.stringify(args) })) };
  });
  await model.start();
  return {
    url: `${model.url}/v1`,
    follow(next: Script) {
      script = next;
      reached = false;
    },
    /** Whether the model has read the text that it waited for. */
    reached: () => reached,
    close: () => model.stop(),
  };
}

const contains = (text: string, part: string) => letters(text).includes(letters(part).slice(0, 80));

/** What remains of a text after it was cleaned, quoted or wrapped. */
const letters = (text: string) =>
  text
    .replaceAll(/\\[nrt]/g, '')
    .replaceAll(/[^a-z0-9]/gi, '')
    .toLowerCase();
