import { exits } from '../../../app/exit-codes.ts';
import type { RecordFindings, VerifyOptions } from '../../../app/gateway/gateway-record.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { placesOf } from '../server/places.ts';

/** Commands for the gateway's record and halts, on its own machine. */
export function addGatewayRecord(gateway: CliCommand): void {
  addGatewayAudit(gateway);

  gateway
    .command('halt')
    .description("ends a halt of somebody's trading at the gateway's own machine, where their phone can't")
    .requiredOption('--lift', 'end it; "trade-agent halt" begins one')
    .requiredOption('--user <sub>', 'whose, as the identity provider names them')
    .examples(['trade-agent gateway halt --lift --user alice', 'also while the gateway runs'])
    .runs(async (context, { user }: { user: string }, command: CliCommand) => {
      const { liftHalt } = await import('../../../app/gateway/gateway-record.ts');
      const places = placesOf(command, 'gateway');
      const { ended, haltedAt, liftedAt, state } = await liftHalt(context, places, user);
      await context.output.result(
        'gateway-halt',
        { sub: user, ended, halted_at: haltedAt, lifted_at: liftedAt, state },
        () =>
          `${
            ended === 'halted'
              ? `Trading of ${user} was halted`
              : `Positions of ${user} could only be made smaller`
          } since ${haltedAt}; ${
            state === 'active' ? 'trading goes on.' : 'positions may still only be made smaller.'
          }`,
      );
    });

  gateway
    .command('recount')
    .description(
      "has orders that the machine's clock dated in the future, when it was wrong, count for today; run it once the clock is right",
    )
    .examples(['trade-agent gateway recount', 'after POLICY_CLOCK_BEHIND; also while the gateway runs'])
    .runs(async (context, _: object, command: CliCommand) => {
      const { recount } = await import('../../../app/gateway/gateway-record.ts');
      const { orders, newest } = await recount(context, placesOf(command, 'gateway'));
      await context.output.result('gateway-recount', { orders, newest }, () =>
        newest === null
          ? 'No order is dated after the clock.'
          : `${orders} ${orders === 1 ? 'order counts' : 'orders count'} for today from now on; the latest was dated ${newest}.`,
      );
    });
}

function addGatewayAudit(gateway: CliCommand): void {
  gateway
    .command('audit')
    .description("the gateway's record: what was proposed, asked, decided, carried out")
    .examples(['trade-agent gateway audit verify', 'find out whether it is whole'])
    .command('verify')
    .description(
      'finds the first line of the record that was changed, removed or added, or that signs or vouches for something else',
    )
    .argument('[file]', "a copy, verified by itself (default: the gateway's own file, with its database)")
    .option(
      '--key <key>',
      "the gateway's key: a file (JWK, JWK Set) or its thumbprint (default: the gateway's own; for a copy what the profile's gateway publishes)",
    )
    .option(
      '--checkpoint <file>',
      'a checkpoint that you kept, or a receipt with one: it must be in the record',
    )
    .option('--authority-ca <file>', 'certificates (PEM) that a time-stamp authority must lead to')
    .examples(
      ['trade-agent gateway audit verify --home /srv/gateway', 'also while the gateway runs'],
      ['trade-agent gateway audit verify --output json > kept.json', 'keep it elsewhere, for the next time'],
      [
        'trade-agent gateway audit verify audit.jsonl --key gateway-key.json --checkpoint kept.json',
        'a copy, by a key that you have kept: needs no network',
      ],
    )
    .runs(
      async (
        context,
        file: string | undefined,
        options: Omit<VerifyOptions, 'file'>,
        command: CliCommand,
      ) => {
        const { verifyRecord } = await import('../../../app/gateway/gateway-record.ts');
        const places = placesOf(command, 'gateway');
        const found = await verifyRecord(context, places, { ...options, file });
        await context.output.result('gateway-audit', { ...found }, () => auditText(found));
        return found.ok ? exits.done : exits.failed;
      },
    );
}

function auditText(found: RecordFindings): string {
  const { file } = found;
  if (!found.ok) {
    return 'line' in found
      ? `${file}, line ${found.line}: ${wrongLine[found.what]} (entry ${found.seq})`
      : `${file}: the checkpoint that you kept is not in it: it was cut off, or another record was put in its place`;
  }
  return [`${file} is whole: ${found.lines} lines`, ...signedText(found.lines, found.signed)].join('\n');
}

function signedText(lines: number, signed: RecordFindings['signed']): string[] {
  if (signed?.last === undefined || signed.last === null) {
    return ['no day of it is signed yet: one is when the next has begun'];
  }
  const { checkpoints, last, anchors } = signed;
  const said = [
    `${checkpoints} ${checkpoints === 1 ? 'checkpoint' : 'checkpoints'}, the last of ${last.day}; ${lines - last.seq} lines since`,
  ];
  if (anchors.last === null) return said;
  const { seq, time, by } = anchors.last;
  said.push(
    `${anchors.count} time-stamped, the last ${time} by ${safeLine(by)}${seq < last.seq ? `: the last checkpoint is not` : ''}`,
  );
  if (anchors.unvouched > 0) {
    said.push(
      `${anchors.unvouched} of them by authorities that nothing here vouches for: name their certificates with --authority-ca`,
    );
  }
  if (anchors.late > 0) said.push(`${anchors.late} of them more than three days late: they show less`);
  return said;
}

const wrongLine = {
  changed: 'changed, or it does not follow from the line before',
  removed: 'one or more lines before this were removed',
  added: 'added, or in another place than it was written',
  unreadable: 'unreadable',
  checkpoint: 'a checkpoint that does not sign what stands before it',
  signer: 'a checkpoint by another key than was named with --key, or than the gateway’s own',
  anchor: 'a time stamp that is not of this record, or by an authority that is not trusted',
} as const;
