import { Option } from 'commander';
import { exitCodes } from '../../../app/exit-codes.ts';
import type { AuditLogVerdict, VerifyAuditLogOptions } from '../../../app/gateway/gateway-record.ts';
import type { GatewayPaths } from '../../../app/gateway/settings-file.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { serverPaths } from '../server/places.ts';

/** Adds commands for the gateway's audit log, rules and halts. They must run on the gateway's machine. */
export function addGatewayRecordCommands(gateway: CliCommand): void {
  addGatewayAudit(gateway);
  addGatewayRules(gateway);

  gateway
    .command('halt')
    .description("lift a halt on the gateway's machine, if the owner can't do it by phone")
    .requiredOption('--lift', 'lift the halt ("trade-agent halt" starts one)')
    .requiredOption('--user <sub>', 'the owner whose halt to lift, by subject at the identity provider')
    .examples(['trade-agent gateway halt --lift --user alice', 'works while the gateway runs'])
    .runs(async (context, { user }: { user: string }, command: CliCommand) => {
      const { liftGatewayHalt } = await import('../../../app/gateway/gateway-record.ts');
      const places = serverPaths(command, 'gateway');
      const { ended, haltedAt, liftedAt, state } = await liftGatewayHalt(context, places, user);
      await context.output.result(
        'gateway-halt',
        { sub: user, ended, halted_at: haltedAt, lifted_at: liftedAt, state },
        () =>
          `${
            ended === 'halted' ? `Lifted the halt on ${user}'s trading` : `Lifted the restriction on ${user}'s trading`
          }, in effect since ${haltedAt}; ${
            state === 'active' ? 'trading is active again.' : 'positions can still only be reduced.'
          }`,
      );
    });

  gateway
    .command('recount')
    .description(
      "count orders that a wrong clock dated in the future as today's orders; run it once the clock is correct",
    )
    .examples(['trade-agent gateway recount', 'after POLICY_CLOCK_BEHIND; works while the gateway runs'])
    .runs(async (context, _: object, command: CliCommand) => {
      const { redateFutureOrders } = await import('../../../app/gateway/gateway-record.ts');
      const { orders, newest } = await redateFutureOrders(context, serverPaths(command, 'gateway'));
      await context.output.result('gateway-recount', { orders, newest }, () =>
        newest === null
          ? 'No order is dated in the future.'
          : `${orders} ${orders === 1 ? 'order now counts' : 'orders now count'} for today; the latest was dated ${newest}.`,
      );
    });
}

interface RulesOptions {
  readonly export?: string;
  readonly import?: string;
  readonly base?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

function addGatewayRules(gateway: CliCommand): void {
  gateway
    .command('rules')
    .description(
      'Show, export or replace the limits and rules of all accounts. They are in the database if the gateway uses PostgreSQL, and otherwise files in its folder, which you edit in place.',
    )
    .option('--export <folder>', 'write the rules as files into a new or empty folder')
    .addOption(
      new Option(
        '--import <folder>',
        'replace all rules with those in a folder, unless they changed since the export',
      ).conflicts('export'),
    )
    .option('--base <version>', 'the version that the import replaces (default: the version that was exported)')
    .option('--dry-run', 'only show what an import would change')
    .option('--yes', 'skip the prompt before rules become looser')
    .examples(
      ['trade-agent gateway rules', 'the names, digests and sizes of the active rules; works while gateways run'],
      ['trade-agent gateway rules --export rules', 'then edit the files'],
      ['trade-agent gateway rules --import rules', 'every gateway applies them from its next decision on'],
    )
    .runs((context, options: RulesOptions, command: CliCommand) =>
      options.import === undefined
        ? printRules(context, serverPaths(command, 'gateway'), options)
        : importRules(context, serverPaths(command, 'gateway'), { ...options, import: options.import }),
    );
}

async function printRules(context: Context, places: GatewayPaths, options: RulesOptions): Promise<void> {
  const { base, dryRun, yes, export: exportTo } = options;
  if (base !== undefined || dryRun || yes) {
    throw new TradeAgentError('usage', '--base, --dry-run and --yes are only for an import', {
      hint: 'Add --import FOLDER.',
    });
  }
  const { showGatewayRules } = await import('../../../app/gateway/gateway-record.ts');
  const shown = await showGatewayRules(context, places, exportTo);
  await context.output.result('gateway-rules', { ...shown, exported_to: exportTo ?? null }, () =>
    [
      ...(exportTo === undefined ? [] : [`Exported to ${exportTo}`]),
      `Stored in  ${shown.folder ?? 'the database'}`,
      `Version    ${shown.version}`,
      shown.digest === null ? '' : `Digest     ${shown.digest}`,
      shown.problem === null ? '' : `Nothing can be traded: ${safeLine(shown.problem)}`,
      ...shown.files.map(({ name, digest, bytes }) => `${digest}  ${String(bytes).padStart(6)}  ${safeLine(name)}`),
    ]
      .filter((line) => line !== '')
      .join('\n'),
  );
}

async function importRules(
  context: Context,
  places: GatewayPaths,
  { import: folder, base, dryRun = false, yes = false }: RulesOptions & { readonly import: string },
): Promise<void> {
  const { importGatewayRules } = await import('../../../app/gateway/gateway-record.ts');
  const { confirmOrFail } = await import('../../terminal/questions.ts');
  const toText = (changes: readonly string[]) => changes.map((line) => safeLine(line)).join('\n');
  const confirm = async (changes: readonly string[], isLooser: boolean) => {
    if (dryRun || yes || !isLooser) return !dryRun;
    const message = 'the import makes rules looser';
    const hint = 'Preview it with --dry-run. Pass --yes to skip the prompt.';
    const question = 'Replace the rules of all accounts?';
    return await confirmOrFail(context, { message, hint, question, shown: toText(changes) });
  };
  const done = await importGatewayRules(context, places, { folder, base, confirm });
  await context.output.result('gateway-rules-import', { ...done }, () =>
    [importedText[done.outcome], toText(done.changes)].filter((line) => line !== '').join('\n'),
  );
}

const importedText = {
  imported: 'The rules are replaced. Every gateway applies them from its next decision on.',
  unchanged: 'The rules are already the same.',
  not_imported: 'Nothing was imported.',
} as const;

function addGatewayAudit(gateway: CliCommand): void {
  const audit = gateway
    .command('audit')
    .description("verify or export the gateway's audit log of proposals, decisions and executions")
    .examples(['trade-agent gateway audit verify', 'check that it is intact']);
  audit
    .command('verify')
    .description(
      'find the first line of the audit log that was changed, removed or added, or has a wrong signature or timestamp',
    )
    .argument('[file]', "an exported file to verify (default: the gateway's database)")
    .option(
      '--key <key>',
      "the key to verify with: a file (JWK or JWK Set) or a thumbprint (default: the local gateway's key; for an exported file, the key that the profile's gateway publishes)",
    )
    .option(
      '--checkpoint <file>',
      'a checkpoint that you saved, or a receipt, which contains one; it must be in the audit log',
    )
    .option('--witness <key>', 'the key of a witness (NAME+ID+KEY) that must have cosigned the --checkpoint')
    .option('--authority-ca <file>', 'trusted certificates (PEM) for timestamp authorities')
    .examples(
      ['trade-agent gateway audit verify --home /srv/gateway', 'works while the gateway runs'],
      ['trade-agent gateway audit verify --output json > kept.json', 'save the checkpoint for the next verification'],
      [
        'trade-agent gateway audit verify audit-all.jsonl --key gateway-key.json --checkpoint kept.json',
        'an exported file, with a key that you saved; needs no network',
      ],
    )
    .runs(
      async (context, file: string | undefined, options: Omit<VerifyAuditLogOptions, 'file'>, command: CliCommand) => {
        const { verifyAuditLog } = await import('../../../app/gateway/gateway-record.ts');
        const places = serverPaths(command, 'gateway');
        const found = await verifyAuditLog(context, places, { ...options, file });
        await context.output.result('gateway-audit', { ...found }, () => auditText(found));
        return found.ok ? exitCodes.done : exitCodes.failed;
      },
    );
  audit
    .command('export')
    .description('write the audit log, or one day of it, to a file that can be verified without the gateway')
    .option('--day <date>', 'the day, in UTC, such as 2026-12-01 (default: everything)')
    .option('--to <file>', 'the new file (default: audit-DAY.jsonl or audit-all.jsonl)')
    .examples(
      ['trade-agent gateway audit export --day 2026-12-01', 'a closed day, for an archive'],
      ['trade-agent gateway audit export --to audit.jsonl', 'everything up to the latest checkpoint'],
    )
    .runs(async (context, options: { day?: string; to?: string }, command: CliCommand) => {
      const { exportAuditLog } = await import('../../../app/gateway/gateway-record.ts');
      const written = await exportAuditLog(context, serverPaths(command, 'gateway'), options);
      await context.output.result(
        'gateway-audit-export',
        written,
        () => `Wrote ${written.lines} ${written.lines === 1 ? 'line' : 'lines'} to ${written.file}`,
      );
    });
}

function auditText(found: AuditLogVerdict): string {
  const { file } = found;
  if (!found.ok) {
    return 'line' in found
      ? `${file}, line ${found.line}: ${lineFaults[found.what]}`
      : `${file} does not contain your checkpoint: the audit log was truncated or replaced`;
  }
  const pending = found.pending === 0 ? '' : `, and ${found.pending} that are not in its tree yet`;
  return [`${file} is intact: ${found.lines} lines${pending}`, ...signedText(found.signed)].join('\n');
}

function signedText(signed: AuditLogVerdict['signed']): string[] {
  if (signed?.last === undefined || signed.last === null) return ['nothing has been signed yet'];
  const { checkpoints, last, anchors } = signed;
  const said = [
    `signed up to line ${last.size}; ${checkpoints} ${checkpoints === 1 ? 'day is' : 'days are'} closed by a checkpoint`,
  ];
  if (anchors.last === null) return said;
  const { size, time, by } = anchors.last;
  said.push(`${anchors.count} timestamped, the last one, of ${size} lines, ${time} by ${safeLine(by)}`);
  if (anchors.unvouched > 0) {
    said.push(`${anchors.unvouched} of them by untrusted authorities: add their certificates with --authority-ca`);
  }
  if (anchors.late > 0) said.push(`${anchors.late} of them were made more than three days late, so they prove less`);
  return said;
}

const lineFaults = {
  changed: 'changed: it does not have the hash that was stored for it',
  removed: 'one or more lines before this were removed',
  added: 'added',
  unreadable: 'unreadable',
  tile: 'a stored hash of the tree does not match the lines from here on',
  checkpoint: 'the lines up to here do not match the signed checkpoint',
  signer: 'a checkpoint was signed with a key other than --key or the gateway’s own key',
  anchor: 'a timestamp belongs to something else, or comes from an untrusted authority',
} as const;
