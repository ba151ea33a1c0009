import { execFile } from 'node:child_process';
import { TradeAgentError } from '../errors/errors.ts';

/** A command's result. */
export interface CommandAnswer {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a system command, such as `crontab`. @throws {TradeAgentError} `not_found`, `timeout` */
export type MachineCommand = (
  name: string,
  args: readonly string[],
  input?: Buffer,
) => Promise<CommandAnswer>;

/** They normally answer at once. */
const LIMIT_MS = 20_000;
const LARGEST = 4 * 1024 * 1024;

/** @param env of the commands; the locale is C, since some messages are parsed */
export function machineCommand(env: NodeJS.ProcessEnv): MachineCommand {
  return (name, args, input) =>
    new Promise((resolve, reject) => {
      const child = execFile(
        name,
        [...args],
        {
          env: { ...env, LC_ALL: 'C', LANGUAGE: 'C' },
          timeout: LIMIT_MS,
          killSignal: 'SIGKILL',
          maxBuffer: LARGEST,
          encoding: 'buffer',
        },
        (error, stdout, stderr) => {
          if (error === null || typeof error.code === 'number') {
            const code = typeof error?.code === 'number' ? error.code : 0;
            resolve({ code, stdout, stderr: stderr.toString().trim() });
          } else if (error.killed === true) {
            const message = `"${name}" did not answer within ${LIMIT_MS / 1000} seconds`;
            reject(new TradeAgentError('timeout', message));
          } else {
            const message = `this machine has no usable "${name}" (${error.code ?? error.signal})`;
            const hint = 'Choose another with --with cron, systemd or launchd.';
            reject(new TradeAgentError('not_found', message, { hint }));
          }
        },
      );
      // A command that does not read its input is judged by its exit code.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
}

/** An error with the command's last line. */
export function commandFailed(what: string, { code, stderr }: CommandAnswer, hint: string): TradeAgentError {
  const said = stderr.split('\n').at(-1)?.slice(0, 200) ?? '';
  return new TradeAgentError('invalid_config', `${what} failed (${said === '' ? `exit ${code}` : said})`, {
    hint,
  });
}
