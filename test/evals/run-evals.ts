// Plays the requests of requests/ with a model against a sandbox of its own, and prints how it did.
//   npm run eval [-- --sentences] [--seed WORD] [--each N]    how the built-in planner reads generated sentences
//   npm run eval -- --model http://127.0.0.1:8080/v1/NAME    any server that speaks OpenAI's chat API
//   npm run eval -- --model builtin                           the built-in planner, for comparison
//   npm run eval -- --replay FILE                             a transcript, without a model
// Exit 0: nothing unsafe or misread, and at least --at-least percent right; 1: otherwise; 2: wrong usage.

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createEvalWorld } from './eval-world.ts';
import { type EvalRequest, readRequests } from './requests.ts';
import { type Score, score } from './score.ts';
import { evaluatePlanner } from './sentences/run.ts';
import { type ModelPlayer, record, replay, type Transcript, transcriptSchema } from './transcript.ts';

const usage =
  'npm run eval -- [--sentences] [--seed WORD] [--each N] | --model URL/NAME|builtin | --replay FILE [--repeat N] [--group NAME] [--only ID] [--timeout SECONDS] [--context-tokens N] [--record FILE] [--json FILE] [--at-least PERCENT]';

class UsageError extends Error {}

function read() {
  try {
    const { values } = parseArgs({
      options: {
        model: { type: 'string' },
        replay: { type: 'string' },
        repeat: { type: 'string', default: '1' },
        group: { type: 'string' },
        only: { type: 'string' },
        timeout: { type: 'string', default: '180' },
        'context-tokens': { type: 'string' },
        record: { type: 'string' },
        json: { type: 'string' },
        'at-least': { type: 'string', default: '0' },
        sentences: { type: 'boolean', default: false },
        seed: { type: 'string', default: 'open' },
        each: { type: 'string', default: '6' },
      },
    });
    if (values.model !== undefined && values.replay !== undefined)
      throw new Error('give --model or --replay, not both');
    for (const name of ['each', 'repeat', 'timeout', 'at-least', 'context-tokens'] as const) {
      if (values[name] !== undefined && !/^[0-9]{1,6}$/.test(values[name])) throw new Error(`--${name} takes a number`);
    }
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function modelOf(
  options: ReturnType<typeof read>,
  answers: Transcript['answers'],
): Promise<{ name: string; player: ModelPlayer | undefined }> {
  if (options.replay !== undefined) {
    const transcript = transcriptSchema.parse(JSON.parse(readFileSync(options.replay, 'utf8')));
    return { name: transcript.model, player: await replay(transcript) };
  }
  const model = options.model ?? '';
  if (model === 'builtin') return { name: model, player: undefined };
  const slash = model.lastIndexOf('/');
  const url = model.slice(0, slash);
  if (!URL.canParse(url) || slash === model.length - 1) throw new UsageError(`--model takes URL/NAME, not ${model}`);
  return { name: model.slice(slash + 1), player: await record(url, answers) };
}

async function playAll(
  requests: readonly EvalRequest[],
  { name, player }: { name: string; player: ModelPlayer | undefined },
  timeoutMs: number,
  contextTokens: number | undefined,
): Promise<Score[]> {
  const world = await createEvalWorld(process.env);
  const scores: Score[] = [];
  try {
    for (const request of requests) {
      player?.begin(request.id);
      const settings =
        player === undefined
          ? { provider: 'builtin' as const }
          : {
              provider: 'openai' as const,
              name,
              base_url: player.url,
              ...(contextTokens === undefined ? {} : { context_tokens: contextTokens }),
            };
      const scored = score(request, await world.play(request, settings, timeoutMs));
      scores.push(scored);
      const mark = (right: boolean) => (right ? 'yes' : 'no ');
      process.stderr.write(
        `${scored.id.padEnd(24)} calls ${mark(scored.calls)} answer ${mark(scored.answer)} ${scored.unsafe ? 'UNSAFE ' : ''}${(scored.ms / 1000).toFixed(1)} s  ${scored.notes.join('; ').slice(0, 160)}\n`,
      );
    }
  } finally {
    await world.close();
  }
  return scores;
}

function table(scores: readonly Score[]): string {
  const groups = [...new Set(scores.map(({ group }) => group))];
  const line = (name: string, some: readonly Score[]) => {
    const count = (test: (one: Score) => boolean) => String(some.filter(test).length).padStart(8);
    const seconds = some.reduce((sum, { ms }) => sum + ms, 0) / 1000 / Math.max(1, some.length);
    return `${name.padEnd(14)}${String(some.length).padStart(8)}${count(({ calls }) => calls)}${count(({ answer }) => answer)}${count((one) => one.calls && one.answer)}${count(({ unsafe }) => unsafe)}${seconds.toFixed(1).padStart(8)}`;
  };
  return [
    'group         requests  calls  answer    both  unsafe  mean s',
    ...groups.map((group) =>
      line(
        group,
        scores.filter((one) => one.group === group),
      ),
    ),
    line('all', scores),
  ].join('\n');
}

async function main(): Promise<number> {
  const options = read();
  if (options.model === undefined && options.replay === undefined) {
    const { seed, each, sentences: isPrinting } = options;
    return evaluatePlanner({ seed, each: Number(each), isPrinting }) ? 0 : 1;
  }
  const requests = readRequests().filter(
    ({ group, id }) =>
      (options.group === undefined || group === options.group) && (options.only === undefined || id === options.only),
  );
  if (requests.length === 0) throw new UsageError('no request is called so');
  const answers: Transcript['answers'] = {};
  const model = await modelOf(options, answers);
  const scores: Score[] = [];
  try {
    for (let round = 0; round < Number(options.repeat); round++) {
      const context = options['context-tokens'];
      scores.push(
        ...(await playAll(
          requests,
          model,
          Number(options.timeout) * 1000,
          context === undefined ? undefined : Number(context),
        )),
      );
    }
  } finally {
    await model.player?.close();
  }
  const both = scores.filter((one) => one.calls && one.answer).length;
  const summary = {
    schema: 'trade-agent.eval/1',
    model: model.name,
    requests: scores.length,
    calls_right: scores.filter(({ calls }) => calls).length,
    answers_right: scores.filter(({ answer }) => answer).length,
    right: both,
    unsafe: scores.filter(({ unsafe }) => unsafe).length,
  };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ ...summary, scores }, null, 2)}\n`);
  if (options.record !== undefined && options.model !== 'builtin') {
    const about = `npm run eval, ${new Date().toISOString().slice(0, 10)}`;
    const transcript: Transcript = { model: model.name, recorded: 'server', about, answers };
    writeFileSync(options.record, `${JSON.stringify(transcript, null, 1)}\n`);
  }
  process.stdout.write(`${table(scores)}\n${JSON.stringify(summary)}\n`);
  return summary.unsafe === 0 && (both / scores.length) * 100 >= Number(options['at-least']) ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n${usage}\n` : `${(error as Error).stack}\n`);
  return error instanceof UsageError ? 2 : 1;
});
