import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { PhoneClient, PhoneRequest } from '../../../home/phone/phone-client.ts';
import { isTradeAgentError, TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Decide } from './phone-decision.ts';

interface PhoneOptions {
  readonly user: string;
  readonly decide: Decide;
  readonly once?: boolean;
}

/** The identity provider holds a request for news this long; well below any proxy's or client's own limit. */
const WAIT_SECONDS = 20;
/** How long a decision waits for what becomes of it; the gateway sends at once, and a fill takes a second or two. */
const OUTCOME_SECONDS = 5;

export function addPhoneCommand(program: Command, cli: Cli): void {
  const phone = program
    .command('phone')
    .summary("the sandbox's phone, in a terminal")
    .description(
      'Stands in for the user\'s phone in the sandbox: shows each order that waits for approval and decides it. The same is a web page: see "trade-agent phone link".',
    )
    .option('--user <name>', 'whose phone', 'alice')
    .addOption(choiceOption('--decide <what>', 'how to decide', ['approve', 'deny', 'ask']).default('ask'))
    .option('--once', 'end after one decision')
    .addHelpText(
      'after',
      examples([
        ['trade-agent phone', 'asks about each order as it comes'],
        ['trade-agent phone --decide approve --once --timeout 1m', 'for scripts'],
        ['trade-agent phone login WDJB-MJHT', 'confirms the code that "login" shows'],
        ['trade-agent phone link', 'a link that opens the phone page, signed in'],
      ]) + exitCodes([124]),
    )
    .action((options: PhoneOptions, command: Command) =>
      runCommand(cli, command, (context) => watchPhone(context, options)),
    );
  phone
    .command('login')
    .description('confirm a sign-in code as the user')
    .argument('<user-code>', 'the code that "trade-agent login" shows')
    .addHelpText(
      'after',
      examples([['trade-agent phone login WDJB-MJHT --user bob', "on bob's phone"]]) + exitCodes([]),
    )
    .action((code: string, _options, command: Command) =>
      runCommand(cli, command, (context) =>
        confirmLogin(context, command.optsWithGlobals<PhoneOptions>(), code),
      ),
    );
  phone
    .command('link')
    .description('print a link that opens the phone page, signed in; it works once')
    .addHelpText(
      'after',
      examples([['trade-agent phone link --user bob', "opens bob's phone"]]) + exitCodes([]),
    )
    .action((_options, command: Command) =>
      runCommand(cli, command, (context) => printLink(context, command.optsWithGlobals<PhoneOptions>())),
    );
  phone
    .command('connect')
    .description('sign in at a third party as the user, where an account is to be connected')
    .argument('<ticket>', 'the ticket, or the link, that "trade-agent connections add" shows')
    .addHelpText(
      'after',
      examples([
        ['trade-agent phone connect TICKET', "signs in there with alice's password, and allows it"],
        ['trade-agent phone --decide deny connect TICKET', 'refuses'],
      ]) + exitCodes([]),
    )
    .action((ticket: string, _options, command: Command) =>
      runCommand(cli, command, (context) =>
        answerConnection(context, command.optsWithGlobals<PhoneOptions>(), ticket),
      ),
    );
}

async function watchPhone(context: Context, options: PhoneOptions): Promise<void> {
  const { io, output, signal } = context;
  if (options.decide === 'ask' && !io.interactive) {
    throw new TradeAgentError('usage', 'there is no terminal to ask on', {
      hint: 'Say what to do: --decide approve, or --decide deny.',
    });
  }
  const phone = await connect(context);
  const left = new Set<string>();
  if (output.format === 'text') io.talk(`The phone of ${options.user} waits for requests …`);
  for (;;) {
    signal.throwIfAborted();
    const requests = await phone.requests(options.user, { waitSeconds: WAIT_SECONDS, signal });
    const request = requests.find(({ id }) => !left.has(id));
    if (request === undefined) {
      // What was left open is still pending, so the server answers at once: don't ask in a tight loop.
      if (left.size > 0) await context.clock.sleep(1000, signal);
      continue;
    }
    const decision = await decide(context, phone, request, options.decide);
    if (decision === 'gone') continue;
    if (decision === undefined) left.add(request.id);
    else if ((await deliver(context, phone, request, decision)) && options.once) return;
  }
}

/** `gone`: withdrawn, expired, or decided elsewhere while the person was being asked. */
async function decide(
  context: Context,
  phone: PhoneClient,
  request: PhoneRequest,
  how: Decide,
): Promise<'approve' | 'deny' | 'gone' | undefined> {
  const { askDecision, requestLines } = await import('./phone-decision.ts');
  if (context.output.format === 'text') for (const line of requestLines(request)) context.io.talk(line);
  if (how !== 'ask') return how;
  const over = new AbortController();
  const answered = new AbortController();
  const watching = watchRequest(context, phone, request, answered.signal).then((status) => {
    if (status === undefined) return;
    context.io.talk(`\n${request.code} is no longer open: ${status}`);
    over.abort();
  });
  try {
    return await askDecision(context, AbortSignal.any([context.signal, over.signal]));
  } catch (error) {
    if (over.signal.aborted && !context.signal.aborted) return 'gone';
    throw error;
  } finally {
    answered.abort();
    await watching;
  }
}

/** How a request ended that nobody decided here; undefined when `signal` aborts, or the phone is out of reach. */
async function watchRequest(
  context: Context,
  phone: PhoneClient,
  { id }: PhoneRequest,
  answered: AbortSignal,
): Promise<PhoneRequest['status'] | undefined> {
  const signal = AbortSignal.any([context.signal, answered]);
  while (!signal.aborted) {
    const now = await phone.request(id, { waitSeconds: WAIT_SECONDS, signal }).catch(() => undefined);
    if (now === undefined || signal.aborted) return undefined;
    if (now.status !== 'pending') return now.status;
  }
  return undefined;
}

/** False where the request had been decided, withdrawn or expired in the meantime. */
async function deliver(
  context: Context,
  phone: PhoneClient,
  request: PhoneRequest,
  decision: 'approve' | 'deny',
): Promise<boolean> {
  let decided: PhoneRequest;
  try {
    decided = await phone.decide(request.id, decision);
  } catch (error) {
    if (!isTradeAgentError(error) || !['approval_expired', 'usage', 'not_found'].includes(error.code))
      throw error;
    context.io.talk(error.message);
    return false;
  }
  const word = decision === 'approve' ? 'approved' : 'denied';
  if (decision === 'approve' && request.kind !== null) {
    decided = await phone
      .request(request.id, { until: 'outcome', waitSeconds: OUTCOME_SECONDS, signal: context.signal })
      .catch(() => decided);
  }
  const { outcomeLine } = await import('./phone-decision.ts');
  const became = outcomeLine(decided);
  await context.output.result(
    'phone-decision',
    {
      id: request.id,
      user: request.user,
      code: request.code,
      decision,
      details: request.details,
      ...(decided.outcome === null ? {} : { outcome: decided.outcome }),
    },
    () => `${word} ${request.code}${became === undefined ? '' : `: ${became}`}`,
  );
  return true;
}

async function confirmLogin(context: Context, { user }: PhoneOptions, code: string): Promise<void> {
  await (await connect(context)).completeDevice(user, code);
  await context.output.result('phone-login', { user, user_code: code }, () => `confirmed ${code} as ${user}`);
}

async function answerConnection(
  context: Context,
  { user, decide: how }: PhoneOptions,
  given: string,
): Promise<void> {
  const ticket = (URL.canParse(given) ? new URL(given).searchParams.get('ticket') : given) ?? given;
  const phone = await connect(context);
  const answer = await phone.answerConnection(user, ticket, how === 'deny' ? 'deny' : 'approve');
  const { connection, label, scopes, status } = answer;
  await context.output.result(
    'phone-connection',
    { user, connection, scopes, status },
    () => `${label} of ${user}: ${status}`,
  );
}

async function printLink(context: Context, { user }: PhoneOptions): Promise<void> {
  const { url } = await (await connect(context)).ticket(user);
  await context.output.result('phone-link', { user, url }, () => url);
}

async function connect(context: Context): Promise<PhoneClient> {
  const { createPhoneClient } = await import('../../../home/phone/phone-client.ts');
  const { phone, home } = await context.sandbox();
  const file = join(home, 'pairing-secret');
  const pairingSecret = await readFile(file, 'utf8').catch((cause) => {
    throw new TradeAgentError('invalid_config', `the phone's pairing secret can't be read: ${file}`, {
      hint: 'The phone must run as the user who runs the sandbox.',
      cause,
    });
  });
  return createPhoneClient({ phone, pairingSecret: pairingSecret.trim(), fetch: context.fetch });
}
