// Measures a long chat: a server streams 10,000 lines into one session in a terminal. Prints the cost of a thousand lines
// at the start and at the end, and the memory use.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chatInTerminal, hasScript, median, output, withWorld } from './processes.mjs';

const ROUNDS = 10;
const LINES = 1000;
/** Number of lines per streamed piece. */
const AT_ONCE = 10;

/** Starts a server with OpenAI's chat API that answers with a thousand lines and the number of the round. */
async function talkativeServer() {
  let round = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => void answer(response, ++round));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

async function answer(response, round) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (choice) =>
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'bench', choices: [choice] })}\n\n`,
    );
  const say = (content) => send({ index: 0, delta: { role: 'assistant', content }, finish_reason: null });
  for (let line = 1; line <= LINES; line += AT_ONCE) {
    const lines = Array.from({ length: AT_ONCE }, (_, n) => `Line ${line + n}: **AAPL** and what it is worth.\n\n`);
    if (!say(lines.join(''))) await new Promise((resolve) => response.once('drain', resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  say(`End of round ${round}.`);
  send({ index: 0, delta: {}, finish_reason: 'stop' });
  response.end('data: [DONE]\n\n');
}

/** Returns the process that `script` started. */
const childOf = (pid) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);

/** Returns the processor time so far in milliseconds, and the memory use in bytes. */
function usageOf(pid) {
  // Fields 14 and 15, in hundredths of a second (proc_pid_stat(5)); the name before them may contain spaces.
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13);
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return { cpuMs: (Number(user) + Number(system)) * 10, bytes: Number(pages) * 4096 };
}

export async function benchChatLines() {
  if (!hasScript) return console.log('  a long chat                      needs Linux and util-linux');
  const server = await talkativeServer();
  try {
    await withWorld(async ({ env }) => {
      const chat = chatInTerminal({ ...env, TRADE_AGENT_API_KEY: 'none' }, [
        ...['chat', '--model', 'bench', '--base-url', server.url],
      ]);
      await output(chat.child, /Alice[\s\S]*[❯>] /);
      const pid = childOf(chat.child.pid);
      const cpu = [];
      const memory = [];
      for (let round = 1; round <= ROUNDS; round++) {
        const before = usageOf(pid).cpuMs;
        const said = output(chat.child, new RegExp(`End of round ${round}\\.[\\s\\S]*/help`));
        chat.child.stdin.write('tell me');
        // Enter is sent separately, because together they would count as a paste.
        setTimeout(() => chat.child.stdin.write('\r'), 50);
        await said;
        const { cpuMs, bytes } = usageOf(pid);
        cpu.push(cpuMs - before);
        memory.push(bytes);
      }
      await chat.leave();
      const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
      const [first, last] = [median(cpu.slice(1, 4)), median(cpu.slice(-3))];
      console.log(
        `  chat of ${ROUNDS * LINES} lines             ${(last / first).toFixed(2)} × the processor time a line at the end (${(last / LINES).toFixed(2)} ms)   aim 2 ×`,
      );
      console.log(
        `  its memory                       ${mib(memory[1])} after ${2 * LINES} lines, ${mib(memory.at(-1))} after ${ROUNDS * LINES}`,
      );
    });
  } finally {
    server.close();
  }
}
