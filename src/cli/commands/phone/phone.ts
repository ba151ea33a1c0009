import { exitCodes } from '../../../app/exit-codes.ts';
import type { AskForDecision, Decision } from '../../../app/phone.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption } from '../../options/choice.ts';

interface PhoneOptions {
  readonly user: string;
  readonly decide: Decision | 'ask';
  readonly once?: boolean;
  readonly readOnly?: boolean;
  readonly company?: boolean;
}

export function addPhoneCommand(program: CliCommand): void {
  const phone = program
    .command('phone')
    .summary("use the sandbox's phone in a terminal")
    .description(
      'Act as the user\'s phone in the sandbox: show each pending order and approve or deny it. For a web page that signs with a passkey, see "trade-agent phone link".',
    )
    .option('--user <name>', 'the user whose phone this is', 'alice')
    .addOption(
      createChoiceOption('--decide <what>', 'the decision for each order', ['approve', 'deny', 'ask']).default('ask'),
    )
    .option('--once', 'exit after one decision')
    .examples(
      ['trade-agent phone', 'asks about each order'],
      ['trade-agent phone --decide approve --once --timeout 1m', 'for scripts'],
      ['trade-agent phone login WDJB-MJHT', 'confirms the code that "login" shows'],
      ['trade-agent phone link', 'a link that sets up a browser as the phone'],
    )
    .exits(exitCodes.timedOut)
    .runs(watch);
  phone
    .command('login')
    .description('confirm a sign-in code as the user')
    .argument('<user-code>', 'the code from "trade-agent login"')
    .option('--company', 'confirm a code from "login --company" at the sandbox\'s company')
    .examples(
      ['trade-agent phone login WDJB-MJHT --user bob', "on bob's phone"],
      ['trade-agent phone login WDJB-MJHT --company', 'as alice, at the company'],
    )
    .runs((context, code: string, _options: unknown, command: CliCommand) =>
      login(context, command.optsWithGlobals<PhoneOptions>(), code),
    );
  phone
    .command('link')
    .description('print a single-use link that sets up a browser as the phone, with a passkey; valid for ten minutes')
    .option('--read-only', 'sign in without a passkey, only to read and deny')
    .examples(
      ['trade-agent phone link --user bob', "sets up bob's phone"],
      ['trade-agent phone link --read-only', 'for a browser without passkeys'],
    )
    .runs((context, _options: unknown, command: CliCommand) =>
      printLink(context, command.optsWithGlobals<PhoneOptions>()),
    );
  phone
    .command('connect')
    .description('sign in to a third-party service as the user, to connect an account')
    .argument('<ticket>', 'the ticket or link from "trade-agent connections add"')
    .examples(
      ['trade-agent phone connect TICKET', "signs in with alice's password and allows access"],
      ['trade-agent phone --decide deny connect TICKET', 'denies access'],
    )
    .runs((context, ticket: string, _options: unknown, command: CliCommand) =>
      connect(context, command.optsWithGlobals<PhoneOptions>(), ticket),
    );
}

async function watch(context: Context, { user, decide, once = false }: PhoneOptions): Promise<void> {
  const { io, output } = context;
  if (decide === 'ask' && !io.interactive) {
    throw new TradeAgentError('usage', 'there is no terminal for a prompt', {
      hint: 'Choose one: --decide approve or --decide deny.',
    });
  }
  const { watchPhone } = await import('../../../app/phone.ts');
  const { promptForDecision, outcomeLine, approvalRequestLines } = await import('./phone-decision.ts');
  const tell = (lines: readonly string[]) => {
    if (output.format === 'text') for (const line of lines) io.talk(line);
  };
  const ask: AskForDecision = (request, signal) => promptForDecision(context, request, signal);
  await watchPhone(context, {
    user,
    once,
    decide: decide === 'ask' ? ask : decide,
    waiting: () => tell([`Waiting for requests on the phone of ${user}…`]),
    shown: (request) => tell(approvalRequestLines(request)),
    onClosed: ({ code }, status) => io.talk(`\n${code} is no longer open: ${status}`),
    onDecided: async (request, decision) => {
      const { id, code, details, outcome } = request;
      const became = outcomeLine(request);
      const word = decision === 'approve' ? 'approved' : 'denied';
      await output.result(
        'phone-decision',
        { id, user: request.user, code, decision, details, ...(outcome === null ? {} : { outcome }) },
        () => `${word} ${code}${became === undefined ? '' : `: ${became}`}`,
      );
    },
  });
}

async function login(context: Context, { user, company }: PhoneOptions, code: string): Promise<void> {
  const { confirmLogin } = await import('../../../app/phone.ts');
  await confirmLogin(context, user, code, company ? 'company' : 'home');
  await context.output.result('phone-login', { user, user_code: code }, () => `confirmed ${code} as ${user}`);
}

async function connect(context: Context, { user, decide }: PhoneOptions, ticket: string): Promise<void> {
  const { answerConnectionRequest } = await import('../../../app/phone.ts');
  const decision = decide === 'deny' ? 'deny' : 'approve';
  const { connection, label, scopes, status } = await answerConnectionRequest(context, user, ticket, decision);
  await context.output.result(
    'phone-connection',
    { user, connection, scopes, status },
    () => `${label} of ${user}: ${status}`,
  );
}

async function printLink(context: Context, { user, readOnly = false }: PhoneOptions): Promise<void> {
  const { createPhoneLink } = await import('../../../app/phone.ts');
  const url = await createPhoneLink(context, user, { readOnly });
  await context.output.result('phone-link', { user, url }, () => url);
}
