import type { Command } from 'commander';
import { createProgramForDocs, listAllCommands } from '../../../src/cli/program.ts';

/** The options of a command as it is typed (`gateway migrate`), with its group's. Undefined where there is none. */
export async function optionsOf(typed: string): Promise<readonly (string | null | undefined)[] | undefined> {
  const found = listAllCommands(await createProgramForDocs()).find((one) => pathOf(one) === typed);
  if (found === undefined) return undefined;
  const options: (string | null | undefined)[] = [];
  for (let one: Command | null = found; one; one = one.parent) options.push(...one.options.map(({ long }) => long));
  return options;
}

function pathOf(command: Command): string {
  const words: string[] = [];
  for (let one: Command | null = command; one?.parent; one = one.parent) words.unshift(one.name());
  return words.join(' ');
}
