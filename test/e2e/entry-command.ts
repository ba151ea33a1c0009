import { readFileSync } from 'node:fs';

/** What an entry starts: words for a shell, or a program with its arguments and environment. */
export interface EntryCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** As cron starts a crontab's entry: up to the first unescaped %, by `/bin/sh -c`, almost no environment. */
export function cronCommand(crontab: string, id: string): EntryCommand {
  const line = crontab.split('\n').find((text) => !text.startsWith('#') && text.includes(` schedule run ${id}`));
  const entry = /^(?:\S+\s+){5}(.*)$/.exec(line ?? '')?.[1] ?? '';
  const command = (/^(?:\\.|[^%\\])*/.exec(entry)?.[0] ?? '').replaceAll('\\%', '%');
  return {
    file: '/bin/sh',
    args: ['-c', command],
    env: { HOME: '/', LOGNAME: 'me', SHELL: '/bin/sh', PATH: '/usr/bin:/bin' },
  };
}

/** As systemd starts a user's service: no shell, C escapes, `%%`, `$$`, and systemd.exec(5)'s environment. */
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
