import { type ExecFileException, execFile } from 'node:child_process';
import { TradeAgentError } from '../errors/errors.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a system command, such as `crontab`. @throws {TradeAgentError} `not_found`, `timeout` */
export type RunSystemCommand = (name: string, args: readonly string[], input?: Buffer) => Promise<CommandResult>;

const COMMAND_TIMEOUT_MS = 20_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/**
 * Returns a function that runs system commands.
 * @param env the commands' environment; the commands run in the C locale, because some of their messages are parsed
 */
export function createCommandRunner(env: NodeJS.ProcessEnv): RunSystemCommand {
  return (name, args, input) =>
    new Promise((resolve, reject) => {
      const child = execFile(
        name,
        [...args],
        {
          env: { ...env, LC_ALL: 'C', LANGUAGE: 'C' },
          timeout: COMMAND_TIMEOUT_MS,
          killSignal: 'SIGKILL',
          maxBuffer: MAX_OUTPUT_BYTES,
          encoding: 'buffer',
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : error.code;
          if (typeof code === 'number') resolve({ code, stdout, stderr: stderr.toString().trim() });
          else reject(commandUnavailable(name, error));
        },
      );
      // Writing fails if the command does not read its input. The exit code shows whether the command itself failed.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
}

function commandUnavailable(name: string, error: ExecFileException | null): TradeAgentError {
  if (error?.killed === true) {
    return new TradeAgentError('timeout', `"${name}" did not respond within ${COMMAND_TIMEOUT_MS / 1000} seconds`);
  }
  const message = `this machine can't run "${name}" (${error?.code ?? error?.signal})`;
  const hint = 'Choose another scheduler with --with cron, systemd or launchd.';
  return new TradeAgentError('not_found', message, { hint });
}

export function commandFailedError(what: string, { code, stderr }: CommandResult, hint: string): TradeAgentError {
  const said = stderr.split('\n').at(-1)?.slice(0, 200) ?? '';
  return new TradeAgentError('invalid_config', `${what} failed (${said === '' ? `exit ${code}` : said})`, {
    hint,
  });
}
