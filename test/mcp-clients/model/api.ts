import type { Conversation, Step } from './script.ts';

export interface ModelApi {
  readonly path: RegExp;
  read(body: never): Conversation;
  /** The answer's events; `event` if the API names them. */
  write(step: Step, id: string): readonly { event?: string; data: unknown }[];
}

const usage = { input_tokens: 10, output_tokens: 10, total_tokens: 20 };

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly content?: string | readonly Block[];
}
const textOf = (content: string | readonly Block[] | undefined): string =>
  typeof content === 'string'
    ? content
    : (content ?? []).map(({ text, content: inner }) => text ?? textOf(inner)).join('\n');

/** https://platform.claude.com/docs/en/api/messages */
const anthropic: ModelApi = {
  path: /\/v1\/messages$/,
  read: ({
    tools = [],
    messages,
  }: {
    tools?: { name: string }[];
    messages: { role: string; content: string | Block[] }[];
  }) => ({
    tools: tools.map(({ name }) => name),
    told: messages
      .flatMap(({ role, content }, at) => {
        if (role !== 'user' || at === 0) return [];
        if (typeof content === 'string') return [content];
        return content.map((block) => block.text ?? textOf(block.content));
      })
      .filter((text) => !text.startsWith('<system-reminder>') || text.includes('<task-notification>')),
  }),
  write(step, id) {
    const isCall = 'call' in step;
    const named = (type: string, rest: object) => ({ event: type, data: { type, ...rest } });
    return [
      named('message_start', {
        message: {
          ...{ id: `msg_${id}`, type: 'message', role: 'assistant', model: 'scripted', content: [] },
          ...{ stop_reason: null, stop_sequence: null, usage },
        },
      }),
      named('content_block_start', {
        index: 0,
        content_block: isCall
          ? { type: 'tool_use', id: `toolu_${id}`, name: step.call, input: {} }
          : { type: 'text', text: '' },
      }),
      named('content_block_delta', {
        index: 0,
        delta: isCall
          ? { type: 'input_json_delta', partial_json: JSON.stringify(step.args) }
          : { type: 'text_delta', text: step.say },
      }),
      named('content_block_stop', { index: 0 }),
      named('message_delta', {
        delta: { stop_reason: isCall ? 'tool_use' : 'end_turn', stop_sequence: null },
        usage,
      }),
      named('message_stop', {}),
    ];
  },
};

interface ResponsesTool {
  readonly type: string;
  readonly name?: string;
  readonly tools?: readonly ResponsesTool[];
}
/** Tools within a namespace are told apart by it. */
const NAMESPACE = '\u0000';

/** https://platform.openai.com/docs/api-reference/responses */
const responses: ModelApi = {
  path: /\/responses$/,
  read: ({ tools = [], input }: { tools?: ResponsesTool[]; input: { type: string; output?: string | Block[] }[] }) => ({
    tools: tools.flatMap(({ name = '', tools: members }) =>
      members === undefined ? [name] : members.map((tool) => `${name}${NAMESPACE}${tool.name}`),
    ),
    told: input.filter(({ type }) => type === 'function_call_output').map(({ output }) => textOf(output)),
  }),
  write(step, id) {
    const response = { id: `resp_${id}`, object: 'response', output: [], usage };
    const item =
      'call' in step
        ? functionCall(step, id)
        : {
            ...{ type: 'message', id: `item_${id}`, role: 'assistant', status: 'completed' },
            content: [{ type: 'output_text', text: step.say, annotations: [] }],
          };
    const named = (type: string, rest: object) => ({ event: type, data: { type, ...rest } });
    return [
      named('response.created', { response: { ...response, status: 'in_progress' } }),
      named('response.output_item.added', { output_index: 0, item }),
      named('response.output_item.done', { output_index: 0, item }),
      named('response.completed', { response: { ...response, status: 'completed', output: [item] } }),
    ];
  },
};

function functionCall({ call, args }: Extract<Step, { call: string }>, id: string) {
  const [namespace, name] = call.includes(NAMESPACE) ? call.split(NAMESPACE) : [undefined, call];
  return {
    ...{ type: 'function_call', id: `item_${id}`, call_id: `call_${id}`, status: 'completed' },
    ...(namespace === undefined ? {} : { namespace }),
    ...{ name, arguments: JSON.stringify(args) },
  };
}

/** https://platform.openai.com/docs/api-reference/chat */
const chat: ModelApi = {
  path: /\/chat\/completions$/,
  read: ({
    tools = [],
    messages,
  }: {
    tools?: { function: { name: string } }[];
    messages: { role: string; content: string | Block[] }[];
  }) => ({
    tools: tools.map(({ function: { name } }) => name),
    told: messages.filter(({ role }) => role === 'tool').map(({ content }) => textOf(content)),
  }),
  write(step, id) {
    const isCall = 'call' in step;
    const delta = isCall
      ? {
          tool_calls: [
            {
              ...{ index: 0, id: `call_${id}`, type: 'function' },
              function: { name: step.call, arguments: JSON.stringify(step.args) },
            },
          ],
        }
      : { content: step.say };
    const chunk = (choice: object) => ({
      data: { id, object: 'chat.completion.chunk', model: 'scripted', choices: [{ index: 0, ...choice }] },
    });
    return [
      chunk({ delta: { role: 'assistant', ...delta }, finish_reason: null }),
      chunk({ delta: {}, finish_reason: isCall ? 'tool_calls' : 'stop' }),
      { data: '[DONE]' },
    ];
  },
};

interface GeminiPart {
  readonly text?: string;
  readonly functionResponse?: { readonly response: unknown };
}

/** https://ai.google.dev/api/generate-content */
const gemini: ModelApi = {
  path: /:(streamGenerateContent|generateContent)$/,
  read: ({
    tools = [],
    contents,
  }: {
    tools?: { functionDeclarations?: { name: string }[] }[];
    contents: { role: string; parts: GeminiPart[] }[];
  }) => ({
    tools: tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations.map(({ name }) => name)),
    told: contents.flatMap(({ parts }) =>
      parts.flatMap(({ functionResponse }) =>
        functionResponse === undefined ? [] : [JSON.stringify(functionResponse.response)],
      ),
    ),
  }),
  write: (step) => [
    {
      data: {
        candidates: [
          {
            index: 0,
            finishReason: 'STOP',
            content: {
              role: 'model',
              parts: ['call' in step ? { functionCall: { name: step.call, args: step.args } } : { text: step.say }],
            },
          },
        ],
        usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 10, totalTokenCount: 20 },
      },
    },
  ],
};

export const modelApis: readonly ModelApi[] = [anthropic, responses, chat, gemini];
