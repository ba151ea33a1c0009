import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { readFileIfExists, writeFileAtomically } from '../../machine/private-file.ts';

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

const BEGIN = '# >>> trade-agent completion >>>';
const END = '# <<< trade-agent completion <<<';

/** Installation paths of bash-completion, which loads the scripts in its folder. */
const BASH_COMPLETION = [
  '/usr/share/bash-completion/bash_completion',
  '/etc/bash_completion',
  '/opt/homebrew/etc/profile.d/bash_completion.sh',
  '/usr/local/etc/profile.d/bash_completion.sh',
];

export interface CompletionPlan {
  readonly shell: Shell;
  readonly file: string;
  /** The shell's startup file and the lines to add. Absent if the shell finds the script automatically. */
  readonly startup?: { readonly file: string; readonly lines: string };
}

interface InstallEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly exists?: (file: string) => boolean;
}

/** Returns the named shell, or else the shell in $SHELL. @throws {TradeAgentError} `usage` for an unknown shell */
export function resolveShell(named: string | undefined, { env }: Pick<InstallEnvironment, 'env'>): Shell {
  const wanted =
    named ??
    env.SHELL?.split('/')
      .at(-1)
      ?.replace(/^pwsh$/, 'powershell');
  const shell = shells.find((known) => known === wanted);
  if (shell !== undefined) return shell;
  throw new TradeAgentError('usage', "can't tell which shell you use", {
    hint: `Pass its name: trade-agent completion install ${shells.join('|')}`,
  });
}

/** Returns the files to write for a shell. @throws {TradeAgentError} `usage` if there is no home directory */
export function planCompletion(shell: Shell, { env, exists = existsSync }: InstallEnvironment): CompletionPlan {
  const home = env.HOME ?? env.USERPROFILE ?? '';
  if (home === '') {
    throw new TradeAgentError('usage', 'there is no home directory to write to', {
      hint: 'Set the HOME environment variable.',
    });
  }
  const data = env.XDG_DATA_HOME || join(home, '.local', 'share');
  const config = env.XDG_CONFIG_HOME || join(home, '.config');
  const own = (name: string) => join(data, 'trade-agent', name);
  switch (shell) {
    case 'fish':
      return { shell, file: join(config, 'fish', 'completions', 'trade-agent.fish') };
    case 'bash': {
      if (BASH_COMPLETION.some(exists)) {
        return { shell, file: join(data, 'bash-completion', 'completions', 'trade-agent') };
      }
      const file = own('completion.bash');
      return { shell, file, startup: startupBlock(join(home, '.bashrc'), `source ${shellQuote(file)}`) };
    }
    case 'zsh': {
      const file = own('completion.zsh');
      // The script needs compdef, which compinit defines.
      const lines = `(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\nsource ${shellQuote(file)}`;
      return { shell, file, startup: startupBlock(join(env.ZDOTDIR || home, '.zshrc'), lines) };
    }
    case 'powershell': {
      const file = own('completion.ps1');
      const profile = join(config, 'powershell', 'Microsoft.PowerShell_profile.ps1');
      return { shell, file, startup: startupBlock(profile, `. '${file.replaceAll("'", "''")}'`) };
    }
  }
}

const startupBlock = (file: string, lines: string) => ({ file, lines: `${BEGIN}\n${lines}\n${END}` });

const shellQuote = (path: string) => `'${path.replaceAll("'", "'\\''")}'`;

/** Writes the script, and the startup lines if the shell needs them. @returns the files written */
export function installCompletion({ file, startup }: CompletionPlan, script: string): string[] {
  mkdirSync(dirname(file), { recursive: true });
  writeFileAtomically(file, script, 0o644);
  if (startup === undefined) return [file];
  const text = readFileIfExists(startup.file) ?? '';
  const rest = withoutBlock(text);
  const gap = rest === '' || rest.endsWith('\n') ? '' : '\n';
  const next = `${rest}${gap}${startup.lines}\n`;
  if (next !== text) {
    mkdirSync(dirname(startup.file), { recursive: true });
    writeFileAtomically(startup.file, next, 0o644);
  }
  return [file, startup.file];
}

/** Removes the script and the startup lines that `installCompletion` wrote. @returns the changed files */
export function uninstallCompletion({ file, startup }: CompletionPlan): string[] {
  const changed: string[] = [];
  if (existsSync(file)) {
    rmSync(file);
    changed.push(file);
  }
  if (startup === undefined) return changed;
  const text = readFileIfExists(startup.file) ?? '';
  const rest = withoutBlock(text);
  if (rest !== text) {
    writeFileAtomically(startup.file, rest, 0o644);
    changed.push(startup.file);
  }
  return changed;
}

function withoutBlock(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0) return text;
  return text.slice(0, begin) + text.slice(end + END.length).replace(/^\r?\n/, '');
}
