import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { renderManPage } from '../../../src/cli/man-page.ts';
import { commandWords } from '../../../src/cli/options/flag-environment.ts';
import { createProgramForDocs, listAllCommands } from '../../../src/cli/program.ts';

const program = await createProgramForDocs();
const commands = listAllCommands(program)
  .map((command): [string, Command] => [commandWords(command).join(' '), command])
  // What completion scripts alone ask is hidden.
  .filter(([name]) => !name.startsWith('__'));

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (more) => {
      text += more;
    },
  });
  command.outputHelp();
  return text;
}

describe('the help of', () => {
  it.each(commands)('%s has examples and exit codes', (name, command) => {
    const text = helpOf(command);
    expect(text).toMatch(/^Examples:$/m);
    expect(text).toContain(`trade-agent`);
    expect(text).toMatch(/^Exit codes:$/m);
    expect(command.description(), name).not.toBe('');
    for (const argument of command.registeredArguments) expect(argument.description, name).not.toBe('');
  });

  it('the program lists every command', () => {
    const text = helpOf(program);
    for (const [name] of commands.filter(([, { parent }]) => parent === program)) {
      expect(text).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
  });
});

describe('the manual page', () => {
  const page = renderManPage(program, '1.2.3');

  it('has a section for every command, and is plain ASCII', () => {
    for (const [name] of commands) expect(page).toContain(`.SS "trade\\-agent ${name.replaceAll('-', '\\-')}`);

    expect([...page].filter((character) => character > '~')).toEqual([]);
  });
});
