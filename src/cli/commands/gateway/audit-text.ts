import type { RecordFindings } from '../../../app/gateway/verify-record.ts';
import { safeLine } from '../../../text/shown-text.ts';

/** What `gateway audit verify` says. */
export function auditText(found: RecordFindings): string {
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
