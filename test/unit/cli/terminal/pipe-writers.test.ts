import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const module = fileURLToPath(new URL('../../../../src/cli/terminal/pipe-writers.ts', import.meta.url));
const say = `import('${module}').then(({ findPipeWriters }) => console.log(findPipeWriters()))`;
const program = `'${process.execPath}' --no-warnings -e "${say}"`;

/** Is there for as long as somebody could read it, however long the program takes to start. */
const late = '(while sleep 0.05; do echo x || exit; done 2>/dev/null)';

/** What the program says of standard input in a shell's command line. */
function inShell(line: string, stdin: 'ignore' | 'pipe' = 'ignore'): string {
  const { stdout, stderr } = spawnSync('bash', ['-c', line.replaceAll('PROGRAM', program)], {
    stdio: [stdin, 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  return stdout.trim() || stderr;
}

describe.runIf(process.platform === 'linux')('who can write into standard input', () => {
  it.each([
    ['a pipeline that says something late', `${late} | PROGRAM`, 'beside'],
    ['a process substitution', `PROGRAM < <${late}`, 'beside'],
    ['a file', 'PROGRAM < /etc/hostname', 'unknown'],
    ['the null device', 'PROGRAM < /dev/null', 'unknown'],
    ['nothing: it is closed', 'PROGRAM <&-', 'unknown'],
  ])('%s', (_, line, writers) => {
    expect(inShell(line)).toBe(writers);
  });

  it('a pipe that only what started it holds open', () => {
    expect(inShell('d=$(mktemp -d); mkfifo $d/p; exec 3<>$d/p; rm -r $d; PROGRAM <&3')).toBe('above');
  });
});
