import { setTimeout as sleep } from 'node:timers/promises';
import {
  createRequestStateCodec,
  type InputRequiredResult,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { createTaskResult, declaresTaskExtension, requireTaskExtension } from '../../src/mcp/server/tasks.ts';
import {
  askCapital,
  askName,
  askOk,
  askRoots,
  elicit,
  picture,
  resource,
  sample,
  text,
  wav,
} from './fixture-content.ts';
import { fixtureTasks, seconds } from './fixture-tasks.ts';

type Args = Record<string, unknown>;
type Run = (args: Args, context: ServerContext) => Promise<object> | object;

const done = (...content: object[]) => ({ content });
const said = (words: string) => done(text(words));

export const tasks = fixtureTasks();
export const codec = createRequestStateCodec({ key: 'k'.repeat(32) });

const ask = (inputRequests: Record<string, object>, requestState?: string) =>
  ({
    resultType: 'input_required',
    inputRequests,
    ...(requestState === undefined ? {} : { requestState }),
  }) as InputRequiredResult;
const given = (context: ServerContext, key: string) => {
  const response = context.mcpReq.inputResponses?.[key];
  return typeof response === 'object' && response !== null ? (response as Record<string, never>) : undefined;
};
const content = (context: ServerContext, key: string) =>
  given(context, key)?.content as Record<string, unknown> | undefined;
const mint = (step: unknown) => codec.mint({ step });
const state = (context: ServerContext) => context.mcpReq.requestState<{ step: unknown }>()?.step;

type Work = Parameters<typeof tasks.begin>[0];

/** By a task if the client supports it. */
const inBackground =
  (workOf: (args: Args) => Work, isRequired = false): Run =>
  (args, context) => {
    if (isRequired) requireTaskExtension(context);
    const work = workOf(args);
    if (!declaresTaskExtension(context)) return work(async () => ({}), context.mcpReq.signal);
    const { id, task } = tasks.begin(work);
    return createTaskResult(id, task);
  };

export const tools: Readonly<Record<string, Run>> = {
  test_simple_text: () => said('This is a simple text response for testing.'),
  test_image_content: () => done(picture),
  test_audio_content: () => done({ type: 'audio', data: wav, mimeType: 'audio/wav' }),
  test_embedded_resource: () => done(resource('test://embedded-resource', 'This is an embedded resource content.')),
  test_multiple_content_types: () =>
    done(
      text('Multiple content types test:'),
      picture,
      resource('test://mixed-content-resource', '{"test":"data","value":123}', 'application/json'),
    ),
  test_error_handling: () => ({
    ...said('This tool intentionally returns an error for testing'),
    isError: true,
  }),
  test_tool_with_progress: async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 },
        });
      }
      await sleep(50);
    }
    return said('done');
  },
  test_tool_with_logging: async (_, { mcpReq }) => {
    for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.log('info', line);
      await sleep(50);
    }
    return said('done');
  },
  test_logging_tool: async (_, { mcpReq }) => {
    await mcpReq.log('info', 'working');
    return said('done');
  },
  test_streaming_elicitation: async (_, context) => {
    const { mcpReq } = context;
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken: 1, progress: 1 } });
    return given(context, 'user_name') === undefined ? ask({ user_name: askName }) : said('done');
  },
  test_missing_capability: () => {
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
  },
  test_sampling: async ({ prompt }, context) => {
    const answer = given(context, 'answer');
    if (answer === undefined) return ask({ answer: sample(String(prompt), 100) });
    return said(`LLM response: ${JSON.stringify(answer.content)}`);
  },
  test_elicitation: async ({ message }, context) =>
    elicited(context, 'User response', String(message), {
      username: { type: 'string', description: 'User’s response' },
      email: { type: 'string', description: 'User’s email address' },
    }),
  test_elicitation_sep1034_defaults: async (_, context) =>
    elicited(context, 'Elicitation completed', 'Defaults', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }),
  test_elicitation_sep1330_enums: async (_, context) => {
    const options = ['option1', 'option2', 'option3'];
    const titled = ['First', 'Second', 'Third'].map((title, index) => ({
      const: `value${index + 1}`,
      title,
    }));
    return elicited(context, 'Elicitation completed', 'Enums', {
      untitledSingle: { type: 'string', enum: options },
      titledSingle: { type: 'string', oneOf: titled },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
      titledMulti: { type: 'array', items: { anyOf: titled } },
    });
  },
  test_input_required_result_elicitation: (_, context) => {
    const name = content(context, 'user_name')?.name;
    return typeof name === 'string' ? said(`Hello, ${name}!`) : ask({ user_name: askName });
  },
  test_input_required_result_sampling: (_, context) => {
    const answer = given(context, 'capital_question');
    return answer === undefined ? ask({ capital_question: askCapital }) : said(JSON.stringify(answer));
  },
  test_input_required_result_list_roots: (_, context) => {
    const answer = given(context, 'client_roots');
    return answer === undefined ? ask({ client_roots: askRoots }) : said(JSON.stringify(answer));
  },
  test_input_required_result_request_state: async (_, context) =>
    state(context) === 'asked' && given(context, 'confirm') !== undefined
      ? said('state-ok')
      : ask({ confirm: askOk }, await mint('asked')),
  test_input_required_result_tampered_state: async (_, context) =>
    state(context) === 'asked' ? said('state-ok') : ask({ confirm: askOk }, await mint('asked')),
  test_input_required_result_multiple_inputs: async (_, context) => {
    const keys = ['user_name', 'greeting', 'client_roots'];
    if (keys.every((key) => given(context, key) !== undefined)) return said('all given');
    return ask(
      { user_name: askName, greeting: sample('Generate a greeting', 50), client_roots: askRoots },
      await mint('asked'),
    );
  },
  test_input_required_result_multi_round: async (_, context) => {
    const step = state(context);
    if (step === 2 && given(context, 'step2') !== undefined) return said('done');
    if (step === 1 && given(context, 'step1') !== undefined) {
      return ask(
        { step2: elicit('Step 2: What is your favorite color?', { color: { type: 'string' } }) },
        await mint(2),
      );
    }
    return ask({ step1: elicit('Step 1: What is your name?', { name: { type: 'string' } }) }, await mint(1));
  },
  test_input_required_result_capabilities: (_, context) => {
    const envelope = context.mcpReq.envelope as Record<string, Record<string, unknown>> | undefined;
    const can = envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};
    return ask({
      ...(can.sampling === undefined ? {} : { capital_question: askCapital }),
      ...(can.elicitation === undefined ? {} : { user_name: askName }),
      ...(can.roots === undefined ? {} : { client_roots: askRoots }),
    });
  },
  json_schema_2020_12_tool: ({ name }) => said(`Hello, ${name}!`),
  greet: ({ name }) => said(`Hello, ${name}!`),
  slow_compute: inBackground((args) => async (_ask, signal) => {
    await seconds(Number(args.seconds), signal);
    return said(`computed ${args.label}`);
  }),
  failing_job: inBackground(
    () => async (_ask, signal) => {
      await seconds(1, signal);
      return { ...said('the job failed'), isError: true };
    },
    true,
  ),
  protocol_error_job: inBackground(() => async (_ask, _signal) => {
    throw new Error('the job broke');
  }),
  confirm_delete: inBackground(() => async (asking, _signal) => {
    const { confirm } = await asking({ confirm: elicit('Delete it?', { confirm: { type: 'boolean' } }) });
    return said(JSON.stringify(confirm ?? null));
  }),
  multi_input: inBackground(() => async (asking, _signal) => {
    const one = (name: string) => elicit(`Say ${name}`, { [name]: { type: 'string' } });
    return said(JSON.stringify(await asking({ first: one('first'), second: one('second') })));
  }),
  test_tool_with_task: (_, context) => {
    requireTaskExtension(context);
    const name = content(context, 'user_name')?.name;
    if (name === undefined) return ask({ user_name: askName });
    const { id, task } = tasks.begin(async () => said(`Hello, ${name}!`));
    return createTaskResult(id, task);
  },
};

function elicited(context: ServerContext, words: string, message: string, properties: Record<string, object>) {
  const answer = given(context, 'answer');
  if (answer === undefined) return ask({ answer: elicit(message, properties) });
  return said(`${words}: action=${answer.action}, content=${JSON.stringify(answer.content)}`);
}
