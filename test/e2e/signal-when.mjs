// signal-when PATTERN SIGNAL COMMAND…: runs a command and sends it a signal as soon as its output has PATTERN. Ends as
// the command does.
import { spawn } from 'node:child_process';

const [pattern = '', signal = 'SIGINT', command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'pipe'] });
let seen = '';
for (const name of ['stdout', 'stderr']) {
  child[name].setEncoding('utf8').on('data', (text) => {
    process[name].write(text);
    const before = seen.includes(pattern);
    seen += text;
    if (!before && seen.includes(pattern)) child.kill(signal);
  });
}
child.once('close', (code) => {
  process.exitCode = code ?? 1;
});
