import type { Command, Option } from 'commander';
import { exitCodeMeanings } from '../app/exit-codes.ts';
import { commandWords, flagVariableName } from './options/flag-environment.ts';
import { listAllCommands } from './program.ts';

export function renderManPage(program: Command, version: string): string {
  const help = program.createHelp();
  const commands = listAllCommands(program).filter(
    (command) => command.name() !== 'help' && !command.name().startsWith('__'),
  );
  return [
    `.TH TRADE\\-AGENT 1 "" "trade\\-agent ${escapeRoff(version)}" "User Commands"`,
    '.SH NAME',
    `trade\\-agent \\- a terminal agent for a brokerage account that places no order you did not approve`,
    '.SH SYNOPSIS',
    '.B trade\\-agent',
    '[\\fIoptions\\fR] [\\fIcommand\\fR]',
    '.SH DESCRIPTION',
    escapeRoff(program.description()),
    '.SH OPTIONS',
    ...program.options.flatMap((option) => optionLines(program, option)),
    '.SH COMMANDS',
    ...commands.flatMap((command) => [
      `.SS "trade\\-agent ${escapeRoff(commandUsage(command))}"`,
      escapeRoff(command.description()),
      ...help
        .visibleArguments(command)
        .flatMap((argument) => ['.TP', `.I ${escapeRoff(argument.name())}`, escapeRoff(argument.description)]),
      ...command.options.flatMap((option) => optionLines(command, option)),
    ]),
    '.SH EXIT STATUS',
    ...Object.entries(exitCodeMeanings).flatMap(([code, meaning]) => ['.TP', `.B ${code}`, escapeRoff(meaning)]),
    '.SH ENVIRONMENT',
    'Each option shows the variable that sets it. NO_COLOR and FORCE_COLOR are honored.',
    '.TP',
    '.B TRADE_AGENT_HOME',
    'one folder for all files of the agent',
    '.TP',
    '.B TRADE_AGENT_SANDBOX',
    'the ready file of the running sandbox to use',
    '',
  ].join('\n');
}

/** Returns a command's usage line: `orders show <id>`. */
function commandUsage(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [...commandWords(command), ...words].join(' ');
}

function optionLines(command: Command, option: Option): string[] {
  const variable = flagVariableName(command, option);
  const choices = option.argChoices === undefined ? '' : ` (${option.argChoices.join(', ')})`;
  const text = `${option.description}${choices}${variable === undefined ? '' : ` [${variable}]`}`;
  return ['.TP', `.B ${escapeRoff(option.flags)}`, escapeRoff(text)];
}

/** Escapes text for roff: backslashes, hyphens, and characters at the start of a line that would begin a request. */
function escapeRoff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(['.])/gm, '\\&$1');
}
