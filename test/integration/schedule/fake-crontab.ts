import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type FakeCrontab = ReturnType<typeof fakeCrontab>;

/** A `crontab` of the test's own, so that nobody's real one is touched; it answers as Debian's does. */
export function fakeCrontab(folder: string) {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const [file, refusal, calls, failing] = ['crontab.txt', 'refuse', 'systemctl.txt', 'systemctl-fails'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  const script = (name: string, text: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${text}`, { mode: 0o755 });
  script(
    'crontab',
    `case "$1 $(cat '${refusal}' 2>/dev/null)" in
  "-l reading") echo "You (me) are not allowed to use this program (crontab)" >&2; exit 1;;
  "- writing") cat >/dev/null; echo "errors in crontab file, can't install." >&2; exit 1;;
  "-l "*) if [ -f '${file}' ]; then cat '${file}'; else echo "no crontab for me" >&2; exit 1; fi;;
  "- "*) cat > '${file}';;
  "-r "*) rm -f '${file}';;
esac
`,
  );
  script(
    'systemctl',
    `echo "$*" >> '${calls}'
if [ -f '${failing}' ]; then echo "Failed to connect to bus" >&2; exit 1; fi
`,
  );
  return {
    /** A PATH on which it comes first. */
    path: `${bin}${delimiter}${process.env.PATH}`,
    read: () => (existsSync(file) ? readFileSync(file) : undefined),
    write: (content: Buffer | string) => writeFileSync(file, content),
    refuse: (what: 'reading' | 'writing' | 'nothing') => writeFileSync(refusal, what),
    systemctl: {
      calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []),
      fail: (yes: boolean) => (yes ? writeFileSync(failing, '') : rmSync(failing, { force: true })),
    },
  };
}
