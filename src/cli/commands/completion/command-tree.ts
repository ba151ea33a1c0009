import type { Command, Option } from 'commander';
import { argumentKinds, flagKinds, type ValueKind } from './values.ts';

/** A command as a shell completes it. */
export interface CommandNode {
  /** The words after `trade-agent`; empty for the program itself. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly flags: readonly FlagNode[];
  /** Values of its first argument, where they are known. */
  readonly values: readonly string[];
  /** Of which kind its arguments are, where the program tells what there is of it. */
  readonly kind?: ValueKind | undefined;
  /** Names of the commands below it. */
  readonly children: readonly { readonly name: string; readonly summary: string }[];
}

export interface FlagNode {
  readonly name: string;
  readonly summary: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  readonly values: readonly string[];
  readonly kind?: ValueKind | undefined;
  /** Whether the value is a file or folder. */
  readonly isPath: boolean;
}

/** The program and every command below it, as commander itself has them. */
export function describeCommands(program: Command): CommandNode[] {
  const global = program.options.filter((option) => option.long !== '--version');
  return walk(program, [], global);
}

function walk(command: Command, path: readonly string[], global: readonly Option[]): CommandNode[] {
  const own = path.length === 0 ? command.options : [...command.options, ...global];
  const shown = command.commands.filter((child) => !child.name().startsWith('__'));
  const named = shown.flatMap((child) => [child.name(), ...child.aliases()].map((name) => ({ child, name })));
  const children = named.map(({ child, name }) => ({ name, summary: summaryOf(child) }));
  return [
    {
      path,
      summary: summaryOf(command),
      flags: [...own.flatMap(flag), { ...plain, name: '--help', summary: 'show help' }],
      values: command.registeredArguments[0]?.argChoices ?? [],
      kind: argumentKinds[path.map((word) => (word === 'order' ? 'orders' : word)).join(' ')],
      children:
        path.length === 0 ? [...children, { name: 'help', summary: 'show help for a command' }] : children,
    },
    ...named.flatMap(({ child, name }) => walk(child, [...path, name], global)),
  ];
}

const plain = { takesValue: false, values: [], isPath: false };

function flag(option: Option): FlagNode[] {
  if (option.long === undefined || option.hidden) return [];
  return [
    {
      name: option.long,
      summary: firstSentence(option.description),
      takesValue: option.required || option.optional,
      values: option.argChoices ?? [],
      kind: flagKinds[option.long],
      isPath: /<(folder|file)>/.test(option.flags),
    },
  ];
}

function summaryOf(command: Command): string {
  return firstSentence(command.summary() || command.description());
}

function firstSentence(text: string): string {
  return text.split(/\. |; | \(/)[0]?.replace(/\.$/, '') ?? text;
}
