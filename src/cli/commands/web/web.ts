import { exits, sessionExits } from '../../../app/exit-codes.ts';
import type { WebReady } from '../../../app/web.ts';
import { isTradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { portUpTo } from '../../options/choice.ts';

export function addWebCommand(program: CliCommand): void {
  program
    .command('web')
    .summary('show everything on a page in your browser')
    .description(
      'Serves a page to the browser of this machine, and opens it: portfolio, value and drawdown, orders, proposals with their stories, mandates, schedules, findings, and the record; live. Its link opens one page, once. On it proposals can be withdrawn and trading halted; approving stays on your phone.',
    )
    .option('--port <number>', 'where on 127.0.0.1 (0: a free one)', portUpTo(65_535), 0)
    .option('--no-open', 'only say where it is')
    .examples(
      ['trade-agent web', 'opens your browser; Ctrl-C ends it'],
      ['trade-agent web --no-open --output json', 'the link, for a browser that you open yourself'],
    )
    .exits(...sessionExits, exits.timedOut)
    .runs(web);
}

async function web(context: Context, { port, open }: { port: number; open: boolean }): Promise<number> {
  const { serveWeb } = await import('../../../app/web.ts');
  let remove = () => {};
  try {
    await serveWeb(context, {
      port,
      ready: async (ready) => {
        await show(context, ready);
        if (open) remove = await opened(context, ready);
      },
    });
  } finally {
    remove();
  }
  // It normally ends by being stopped; only a time limit is reported.
  const { reason } = context.signal;
  return isTradeAgentError(reason) && reason.code === 'timeout' ? exits.timedOut : exits.done;
}

async function show({ output, io }: Context, { url, port }: WebReady): Promise<void> {
  await output.result('web', { url, port, pid: process.pid }, () => url);
  io.talk('The link opens one page, once. Ctrl-C ends it.');
}

/** @returns undoes it */
async function opened(context: Context, { url }: WebReady): Promise<() => void> {
  const { openingPage } = await import('../../../app/web.ts');
  const { file, remove } = await openingPage(context, url);
  const { openFile } = await import('../../terminal/open-browser.ts');
  await openFile(context, file);
  return remove;
}
