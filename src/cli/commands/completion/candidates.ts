import type { Command, Option } from 'commander';
import type { CompletionKind } from '../../../app/completion/values.ts';
import { commandWords } from '../../options/flag-environment.ts';
import { commandSummary } from '../../options/help.ts';

interface Candidate {
  readonly value: string;
  readonly summary?: string;
}

/** The possible completions: file paths (`files`), or a list of candidates. */
export type Candidates = 'files' | readonly Candidate[];

const argumentCommands: Readonly<Record<CompletionKind, readonly string[]>> = {
  symbols: ['quote', 'orders buy', 'orders sell'],
  orders: ['orders show', 'orders replace', 'orders cancel'],
  threads: ['threads show', 'threads delete', 'resume'],
  approvals: ['approvals show', 'approvals wait', 'approvals reconcile', 'approvals cancel'],
  mandates: ['mandates show', 'mandates suspend', 'mandates revoke'],
  schedules: ['schedule run', 'schedule remove', 'schedule logs'],
  profiles: ['profile use', 'profile show', 'profile check', 'profile remove'],
  connections: ['connections add', 'connections remove'],
};

const flagKinds: Readonly<Record<string, CompletionKind>> = { '--profile': 'profiles', '--thread': 'threads' };

/**
 * Returns the completions of the word at the cursor.
 * @param before the words before the cursor, without the program's name; bash splits words at `=`
 * @param valuesOf returns the current values of a kind, such as profile names
 */
export async function findCandidates(
  program: Command,
  before: readonly string[],
  word: string,
  valuesOf: (kind: CompletionKind) => Promise<readonly string[]>,
): Promise<Candidates> {
  const { command, flag } = parseWords(program, before);
  const inOne = /^(--[^=]+)=/.exec(word);
  const named = inOne === null ? flag : findOption(command, inOne[1] ?? '');
  const found = await (named !== undefined
    ? flagValues(named, valuesOf)
    : inOne !== null
      ? []
      : word.startsWith('-')
        ? flagCandidates(command)
        : argumentValues(command, valuesOf));
  if (found === 'files') return found;
  const start = inOne?.[0] ?? '';
  return found
    .map((candidate) => ({ ...candidate, value: `${start}${candidate.value}` }))
    .filter(({ value }) => value.startsWith(word === '=' ? '' : word));
}

/** Returns the command that the words name. Also returns the last flag if its value is still missing. */
function parseWords(program: Command, words: readonly string[]): { command: Command; flag?: Option } {
  let command = program;
  let flag: Option | undefined;
  for (const [index, word] of words.entries()) {
    if (word === '=') {
      flag = findOption(command, words[index - 1] ?? '');
    } else if (flag !== undefined) {
      flag = undefined;
    } else if (word.startsWith('-')) {
      const option = findOption(command, word);
      if (option?.required || option?.optional) flag = option;
    } else {
      command = visibleCommands(command).find((child) => commandNames(child).includes(word)) ?? command;
    }
  }
  return flag === undefined ? { command } : { command, flag };
}

function findOption(command: Command | null, name: string): Option | undefined {
  if (command === null) return undefined;
  return command.options.find(({ short, long }) => long === name || short === name) ?? findOption(command.parent, name);
}

async function flagValues(
  option: Option,
  valuesOf: (kind: CompletionKind) => Promise<readonly string[]>,
): Promise<Candidates> {
  if (/<(folder|file)>/.test(option.flags)) return 'files';
  const kind = flagKinds[option.long ?? ''];
  return toCandidates(kind === undefined ? (option.argChoices ?? []) : await valuesOf(kind));
}

async function argumentValues(
  command: Command,
  valuesOf: (kind: CompletionKind) => Promise<readonly string[]>,
): Promise<Candidate[]> {
  const name = commandWords(command).join(' ');
  const kinds = Object.keys(argumentCommands) as CompletionKind[];
  const kind = kinds.find((one) => argumentCommands[one].includes(name));
  if (kind !== undefined) return toCandidates(await valuesOf(kind));
  return [
    ...visibleCommands(command).flatMap((child) =>
      commandNames(child).map((value) => ({
        value,
        summary: shortSummary(commandSummary(child)),
      })),
    ),
    ...(command.parent === null ? [{ value: 'help', summary: 'show help for a command' }] : []),
    ...toCandidates(command.registeredArguments[0]?.argChoices ?? []),
  ];
}

function flagCandidates(command: Command): Candidate[] {
  const { parent } = command;
  const top = rootCommand(command);
  const global = parent === null ? [] : top.options.filter(({ long }) => long !== '--version');
  const options = [...command.options, ...global].flatMap(({ long, hidden, description }) =>
    long == null || hidden ? [] : [{ value: long, summary: shortSummary(description) }],
  );
  return [...options, { value: '--help', summary: 'show help' }];
}

const rootCommand = (command: Command): Command => (command.parent === null ? command : rootCommand(command.parent));

const commandNames = (command: Command) => [command.name(), ...command.aliases()];

const visibleCommands = (command: Command) => command.commands.filter((child) => !child.name().startsWith('__'));

const toCandidates = (values: readonly string[]): Candidate[] => values.map((value) => ({ value }));

const shortSummary = (text: string) => text.split(/\. |; | \(/)[0]?.replace(/\.$/, '') ?? text;
