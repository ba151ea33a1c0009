import type { AgentOptions } from '../../../app/app.ts';
import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { WebReadyInfo } from '../../../app/web.ts';
import { isTradeAgentError } from '../../../errors/errors.ts';
import { defined } from '../../../values/defined.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createPortParser } from '../../options/choice.ts';
import { baseUrlHelp, modelHelp, readOnlyHelp } from '../run/run.ts';

export function addWebCommand(program: CliCommand): void {
  program
    .command('web')
    .summary('open the dashboard and the chat in your browser')
    .description(
      'Serve a live dashboard and the chat to a browser on this machine and open it: portfolio, value and drawdown, orders, proposals and their history, mandates, schedules, findings, and the audit log. The link works once. You can chat with the agent, withdraw proposals and halt trading there, but you approve on your phone.',
    )
    .option('--port <number>', 'the port on 127.0.0.1 (0 picks a free one)', createPortParser(65_535), 0)
    .option('--no-open', 'only print the link')
    .option('--read-only', readOnlyHelp)
    .option('--model <name>', modelHelp)
    .option('--base-url <url>', baseUrlHelp)
    .examples(
      ['trade-agent web', 'opens your browser; press Ctrl-C to stop'],
      ['trade-agent web --no-open --output json', 'prints the link'],
      ['trade-agent web --model ollama/llama3.2 --read-only', 'a chat that can change nothing'],
    )
    .exits(...sessionExitCodes, exitCodes.timedOut)
    .runs(web);
}

type WebOptions = AgentOptions & { readonly port: number; readonly open: boolean };

async function web(context: Context, { port, open, readOnly, model, baseUrl }: WebOptions): Promise<number> {
  const { serveDashboard } = await import('../../../app/web.ts');
  let remove = () => {};
  try {
    await serveDashboard(context, {
      port,
      ...defined({ readOnly, model, baseUrl }),
      ready: async (ready) => {
        await show(context, ready);
        if (open) remove = await openPage(context, ready);
      },
    });
  } finally {
    remove();
  }
  // The dashboard runs until it is stopped, so only a timeout sets the exit code.
  const { reason } = context.signal;
  return isTradeAgentError(reason) && reason.code === 'timeout' ? exitCodes.timedOut : exitCodes.done;
}

async function show({ output, io }: Context, { url, port }: WebReadyInfo): Promise<void> {
  await output.result('web', { url, port, pid: process.pid }, () => url);
  io.talk('The link works once. Press Ctrl-C to stop.');
}

/**
 * Opens the page in a browser through a temporary file. If the link were an argument of the browser, every user of this
 * machine could see it.
 * @returns a function that removes the file
 */
async function openPage(context: Context, { url }: WebReadyInfo): Promise<() => void> {
  const { writeRedirectPage } = await import('../../../app/web.ts');
  const { file, remove } = await writeRedirectPage(context, url);
  const { openFile } = await import('../../terminal/open-browser.ts');
  await openFile(context, file);
  return remove;
}
