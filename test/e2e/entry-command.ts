import { readFileSync } from 'node:fs';

/** What an entry starts: words for a shell, or a program with its arguments and environment. */
export interface EntryCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * As Debian's cron starts an entry of a crontab, crontab(5): the command up to the first percent sign that is not
 * escaped, by `/bin/sh -c`, with next to no environment.
 */
export function cronCommand(crontab: string, id: string): EntryCommand {
  const line = crontab
    .split('\n')
    .find((text) => !text.startsWith('#') && text.includes(` schedule run ${id}`));
  const entry = /^(?:\S+\s+){5}(.*)$/.exec(line ?? '')?.[1] ?? '';
  const command = (/^(?:\\.|[^%\\])*/.exec(entry)?.[0] ?? '').replaceAll('\\%', '%');
  return {
    file: '/bin/sh',
    args: ['-c', command],
    env: { HOME: '/', LOGNAME: 'me', SHELL: '/bin/sh', PATH: '/usr/bin:/bin' },
  };
}

/**
 * As systemd starts a service of a user's, systemd.service(5) and systemd.syntax(7): no shell, words in double quotes
 * with C escapes, `%%` and (in ExecStart) `$$`, and the environment systemd.exec(5) lists.
 */
export function systemdCommand(file: string): EntryCommand {
  const unit = readFileSync(file, 'utf8');
  const environment = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, text = '']) => words(text));
  const [program = '', ...args] = words(/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '').map((word) =>
    word.replaceAll('$$', '$'),
  );
  return {
    file: program,
    args,
    env: {
      ...{ LANG: 'C.UTF-8', LOGNAME: 'me', USER: 'me', SHELL: '/bin/bash', INVOCATION_ID: '0' },
      ...{ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin' },
      ...Object.fromEntries(
        environment.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
      ),
    },
  };
}

function words(text: string): string[] {
  return [...text.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(([, quoted, bare]) =>
    (quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '').replaceAll('%%', '%'),
  );
}
