import {
  type McpRequestContext,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
} from '@modelcontextprotocol/server';
import { registerTaskMethods, TASKS_EXTENSION } from '../../src/mcp/server/tasks.ts';
import { elicit, picture, png, resource, text, wholeSchema } from './fixture-content.ts';
import { codec, tasks, tools } from './fixture-tools.ts';

const prompts = [
  { name: 'test_simple_prompt', arguments: [] as string[] },
  { name: 'test_prompt_with_arguments', arguments: ['arg1', 'arg2'] },
  { name: 'test_prompt_with_embedded_resource', arguments: ['resourceUri'] },
  { name: 'test_prompt_with_image', arguments: [] },
  { name: 'test_input_required_result_prompt', arguments: [] },
];
const user = (content: object) => ({ role: 'user' as const, content });

/** What the conformance suite asks of a server: tools, resources and prompts of no use but for that. */
export function fixtureServer({ era }: Pick<McpRequestContext, 'era'>): Server {
  const isModern = era === 'modern';
  const server = new Server(
    { name: 'fixture', version: '1' },
    {
      capabilities: {
        tools: {},
        resources: { subscribe: true },
        prompts: {},
        completions: {},
        logging: {},
        ...(isModern ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
      },
      requestState: { verify: codec.verify },
    },
  );
  server.setRequestHandler('tools/list', () => ({
    tools: Object.keys(tools).map((name) => ({
      name,
      description: name,
      inputSchema:
        name === 'json_schema_2020_12_tool' ? wholeSchema : { type: 'object' as const, additionalProperties: true },
    })),
  }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const run = tools[params.name];
    if (run === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'there is no such tool');
    return (await run(params.arguments ?? {}, context)) as never;
  });
  if (isModern) registerTaskMethods(server, tasks);
  addResources(server);
  addPrompts(server);
  server.setRequestHandler('completion/complete', () => ({
    completion: { values: ['paris', 'park', 'party'], total: 3, hasMore: false },
  }));
  return server;
}

function addResources(server: Server): void {
  server.setRequestHandler('resources/list', () => ({
    resources: [
      { uri: 'test://static-text', name: 'text', mimeType: 'text/plain' },
      { uri: 'test://static-binary', name: 'binary', mimeType: 'image/png' },
    ],
  }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'data', mimeType: 'application/json' }],
  }));
  server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
    if (id !== undefined) {
      const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
      return { contents: [{ uri, mimeType: 'application/json', text: data }] };
    }
    if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: png }] };
    if (uri === 'test://static-text') {
      return {
        contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
      };
    }
    throw new ResourceNotFoundError(uri);
  });
  for (const method of ['resources/subscribe', 'resources/unsubscribe'] as const) {
    server.setRequestHandler(method, () => ({}));
  }
}

function addPrompts(server: Server): void {
  server.setRequestHandler('prompts/list', () => ({
    prompts: prompts.map(({ name, arguments: names }) => ({
      name,
      description: name,
      arguments: names.map((argument) => ({ name: argument, required: true })),
    })),
  }));
  server.setRequestHandler('prompts/get', ({ params }, context) => {
    const args = params.arguments ?? {};
    const messages: Record<string, () => object[]> = {
      test_simple_prompt: () => [user(text('This is a simple prompt for testing.'))],
      test_prompt_with_arguments: () => [user(text(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`))],
      test_prompt_with_embedded_resource: () => [
        user(resource(String(args.resourceUri), 'Embedded resource content for testing.')),
        user(text('Please process the embedded resource above.')),
      ],
      test_prompt_with_image: () => [user(picture), user(text('Please analyze the image above.'))],
      test_input_required_result_prompt: () => [
        user(text(JSON.stringify(context.mcpReq.inputResponses?.user_context))),
      ],
    };
    if (
      params.name === 'test_input_required_result_prompt' &&
      context.mcpReq.inputResponses?.user_context === undefined
    ) {
      const user_context = elicit('What context should the prompt use?', { context: { type: 'string' } });
      return { resultType: 'input_required', inputRequests: { user_context } } as never;
    }
    return { messages: messages[params.name]?.() ?? [] } as never;
  });
}
