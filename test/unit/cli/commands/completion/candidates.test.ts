import { describe, expect, it } from 'vitest';
import { findCandidates } from '../../../../../src/cli/commands/completion/candidates.ts';
import { createProgramForDocs } from '../../../../../src/cli/program.ts';

const program = await createProgramForDocs();

/** The values for the last word of a line, as a shell splits it. */
async function complete(...words: readonly string[]) {
  const found = await findCandidates(program, words.slice(0, -1), words.at(-1) ?? '', async (kind) => [
    `${kind}-1`,
    `${kind}-2`,
  ]);
  return found === 'files' ? found : found.map(({ value }) => value);
}

describe('the word at the cursor', () => {
  it.each<[words: string[], values: string[] | 'files']>([
    [['appr'], ['approvals']],
    [['he'], ['help']],
    [['ord'], ['orders', 'order']],
    [['__'], []],
    // Below a command, after flags of the program that take values.
    [
      ['--output', 'json', 'phone', ''],
      ['login', 'link', 'connect'],
    ],
    [['--output=json', 'phone', 'lo'], ['login']],
    [['--profile', '=', 'orders', 'thr'], ['threads']],
    [
      ['completion', ''],
      ['install', 'uninstall', 'bash', 'zsh', 'fish', 'powershell'],
    ],
    // Flags.
    [['run', 'buy 5 AAPL', '--app'], ['--approval']],
    [['portfolio', '--ver'], ['--verbose']],
    [['--vers'], ['--version']],
    // Values of flags: known ones, those of a kind, paths, and those that nobody knows.
    [
      ['run', 'x', '--approval', 'd'],
      ['detach', 'deny'],
    ],
    [['run', '--output', '=', 'j'], ['json']],
    [
      ['run', '--output', '='],
      ['text', 'json', 'stream-json', 'csv'],
    ],
    [['run', '--output=j'], ['--output=json']],
    [
      ['portfolio', '--profile', ''],
      ['profiles-1', 'profiles-2'],
    ],
    [['portfolio', '--profile=profiles-2'], ['--profile=profiles-2']],
    [['sandbox', '--home', ''], 'files'],
    [['--timeout', ''], []],
    [['--nothing='], []],
    // Values of arguments.
    [
      ['order', 'buy', ''],
      ['symbols-1', 'symbols-2'],
    ],
    [['threads', 'show', 'threads-1'], ['threads-1']],
  ])('%j completes to %j', async (words, values) => {
    expect(await complete(...words)).toEqual(values);
  });

  it('comes with a summary', async () => {
    expect(await findCandidates(program, [], 'quot', async () => [])).toEqual([
      { value: 'quote', summary: expect.stringMatching(/^[a-z].*[^.]$/) },
    ]);
  });
});
