import { describe, expect, it } from 'vitest';
import { toApprovalView } from '../../../src/agent/graph/proposal-view.ts';
import { toRunOutput } from '../../../src/app/run.ts';
import { approvalViewSchema as approvalSchema } from '../../../src/cli/schema/parts.ts';
import { approvalLines } from '../../../src/cli/text/approval-lines.ts';
import { getKindDefinition, kinds, proposalKinds } from '../../../src/trading/kinds/kinds.ts';
import { type Proposal, proposalSchema } from '../../../src/trading/proposal.ts';
import { subjectOf } from '../../integration/sandbox/proposal-fixture.ts';

/*
 * What every kind must keep to. A new one needs a subject in `subjectOf` and runs against all of this; the identity
 * provider has its own (test/integration/sandbox/identity-provider-proposals.test.ts).
 */

const findProposal = (kind: (typeof proposalKinds)[number]): Proposal =>
  proposalSchema.parse({
    kind,
    subject: subjectOf(kind),
    ...{ id: 'pr_k7qp2m4x', state: 'requested', code: 'K7QP', worst_case: null, warnings: [] },
    ...{ created_at: '2026-11-25T14:30:00Z', updated_at: '2026-11-25T14:30:00Z' },
    ...{ expires_at: '2026-11-25T14:35:00Z', requested_by: 'chat', client: 'trade-agent' },
    approval: { method: 'ciba' },
  });

describe('the table of kinds', () => {
  it('has no two of one RFC 9396 type', () => {
    const types = Object.values(kinds).map(({ detailsType }) => detailsType);
    expect(new Set(types).size).toBe(types.length);
  });
});

describe.each(proposalKinds)('a proposal of kind %s', (kind) => {
  const words = getKindDefinition(kind);

  it('goes by its own name', () => {
    expect(words.name).toBe(kind);
  });

  it('is carried out by the scope that goes with the one it is proposed by', () => {
    expect(words.scope.split(':')[0]).toBe(words.proposeScope.split(':')[0]);
  });

  it('has a whole subject that is let before a person', () => {
    expect(() => words.check(words.subjectSchema.parse(subjectOf(kind)))).not.toThrow();
  });

  it('is refused with a field that nobody knows', () => {
    expect(words.subjectSchema.safeParse({ ...subjectOf(kind), withdraw_to: 'XX00' }).success).toBe(false);
    expect(words.requestSchema.safeParse({ withdraw_to: 'XX00' }).success).toBe(false);
  });

  it('says whose money it moves, or in a word of its own what it does', () => {
    const { environment, phone } = words;
    expect(environment === undefined).toBe(phone.banner !== undefined);
  });

  it('is shown in the terminal, each text on one line', () => {
    const view = toApprovalView(findProposal(kind), 'th_1');
    const lines = approvalLines(view, undefined, Date.parse('2026-11-25T14:30:00Z'), 'laptop');
    expect(lines.join('\n')).toContain(words.terminal.fields(subjectOf(kind))[0]?.[1]);
    for (const line of [words.summary(subjectOf(kind)), words.terminal.headline(subjectOf(kind)), ...lines])
      expect(line).toMatch(/^[^\n]+$/);
  });

  it('is in JSON under its own name, as the schema says', () => {
    const proposal = findProposal(kind);
    const view = toApprovalView(proposal, 'th_1');
    expect(approvalSchema.strict().parse(JSON.parse(JSON.stringify(view)))).toMatchObject({
      kind,
      [kind]: proposal.subject,
    });
    const result = { thread: 'th_1', text: '', data: [], orders: [], messages: [], connections: [] };
    const usage = { model: 'builtin', input_tokens: 0, output_tokens: 0 };
    const { approvals } = toRunOutput({ ...result, status: 'pending', approvals: [view], usage });
    expect(approvals).toMatchObject([{ kind, [kind]: proposal.subject }]);
  });
});
