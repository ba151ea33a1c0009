import { HELP_COLUMNS } from '../options/help.ts';

/**
 * Returns the help that the build rendered for these arguments, because rendering it now would set up all commands,
 * which is slow. Returns undefined for other arguments, an unknown command or a narrow terminal, and without a build.
 */
export async function loadPrerenderedHelp(
  argv: readonly string[],
  stdout: { isTTY?: boolean; columns?: number },
): Promise<string | undefined> {
  const words = helpCommand(argv);
  if (words === undefined || (stdout.isTTY && (stdout.columns || HELP_COLUMNS) < HELP_COLUMNS)) return undefined;
  const { helpTexts } = await import('./help-texts.ts');
  const subject = words.join(' ');
  return Object.hasOwn(helpTexts, subject) ? helpTexts[subject] : undefined;
}

/** Returns `["orders", "list"]` for `orders list --help`. The form `help COMMAND` supports only one word. */
function helpCommand(argv: readonly string[]): readonly string[] | undefined {
  if (argv[0] === 'help') return argv.length <= 2 ? argv.slice(1) : undefined;
  const last = argv.at(-1);
  return last === '--help' || last === '-h' ? argv.slice(0, -1) : undefined;
}
