import { exitCodes } from '../../../app/exit-codes.ts';
import type { AuditLogVerdict, VerifyAuditLogOptions } from '../../../app/gateway/gateway-record.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { serverPaths } from '../server/places.ts';

/** Adds commands for the gateway's audit log and for halts. They must run on the gateway's machine. */
export function addGatewayRecordCommands(gateway: CliCommand): void {
  addGatewayAudit(gateway);

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
  if (signed?.last === undefined || signed.last === null) return ['nothing is signed yet'];
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
  if (anchors.late > 0) said.push(`${anchors.late} of them were made more than three days late, which proves less`);
  return said;
}

const lineFaults = {
  changed: 'changed: it does not have the hash that was stored for it',
  removed: 'one or more lines before this were removed',
  added: 'added',
  unreadable: 'unreadable',
  tile: 'a stored hash of the tree does not match the lines from here on',
  checkpoint: 'the lines up to here are not those that the checkpoint signs',
  signer: 'a checkpoint signed with a key other than --key or the gateway’s own',
  anchor: 'a timestamp that belongs to something else, or comes from an untrusted authority',
} as const;
