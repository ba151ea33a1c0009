import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEvalWorld, type EvalWorld } from '../../evals/eval-world.ts';
import { readRequests } from '../../evals/requests.ts';
import { score } from '../../evals/score.ts';
import { replay, transcriptSchema } from '../../evals/transcript.ts';

/** Nothing of a model comes after this, milliseconds: what a transcript lacks is answered with an error at once. */
const LIMIT_MS = 20_000;
const folder = new URL('../../evals/transcripts/', import.meta.url);

describe('the evals’ requests', () => {
  it('are at least 60, of every group', () => {
    const requests = readRequests();
    expect(requests.length).toBeGreaterThanOrEqual(60);
    expect(new Set(requests.map(({ group }) => group)).size).toBe(11);
  });
});

describe.each(readdirSync(folder))('what a model’s server answered, played again: %s', (file) => {
  const transcript = transcriptSchema.parse(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
  const requests = readRequests().filter(({ id }) => Object.hasOwn(transcript.answers, id));
  let world: EvalWorld;
  beforeAll(async () => {
    world = await createEvalWorld({});
  });
  afterAll(() => world?.close());

  it.each(requests.map((request) => [request.id, request] as const))('%s', async (id, request) => {
    const player = await replay(transcript);
    try {
      player.begin(id);
      const model = { provider: 'openai' as const, name: transcript.model, base_url: player.url };
      const played = await world.play(request, model, LIMIT_MS);
      const scored = score(request, played);
      expect(scored).toMatchObject({ unsafe: false });
      const text = played.results.at(-1)?.text ?? '';
      expect(text).not.toMatch(/"arguments"|<tool_call>/);
      // A real model's answers are what they are; those of a good one must come out right.
      if (transcript.recorded === 'hand') expect(scored.notes).toEqual([]);
      else expect(played.results.at(-1)?.status).toMatch(/^(?:done|failed)$/);
    } finally {
      await player.close();
    }
  });
});
