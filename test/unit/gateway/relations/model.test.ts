import { readFileSync } from 'node:fs';
import { transformer } from '@openfga/syntax-transformer';
import { describe, expect, it } from 'vitest';
import { relationsByPermission } from '../../../../src/gateway/relations/embedded.ts';
import { permissions } from '../../../../src/trading/permissions.ts';

interface Userset {
  readonly this?: object;
  readonly computedUserset?: { readonly relation: string };
  readonly tupleToUserset?: {
    readonly tupleset: { readonly relation: string };
    readonly computedUserset: { readonly relation: string };
  };
  readonly union?: { readonly child: readonly Userset[] };
}

const model = transformer.transformDSLToJSONObject(readFileSync('docs/operate/access/model.fga', 'utf8')) as {
  readonly type_definitions: readonly { type: string; relations?: Record<string, Userset> }[];
  readonly conditions?: Record<string, { parameters: Record<string, { type_name: string }> }>;
};
const account =
  model.type_definitions.find(({ type }) => type === 'account')?.relations ?? expect.fail('there is no account');

/** The relations that one is the union of. */
const partsOf = ({ union, computedUserset }: Userset): string[] =>
  union === undefined ? [computedUserset?.relation ?? '?'] : union.child.flatMap(partsOf);

describe('the model that is shipped', () => {
  it('asks fourteen questions, and no other', () => {
    expect(permissions).toHaveLength(14);
    const asked = Object.keys(account).filter((relation) => relation.startsWith('can_'));
    expect(asked.sort()).toEqual([...permissions].sort());
  });

  it.each(permissions)('answers %s as the embedded default does', (question) => {
    expect(partsOf(account[question] ?? {}).sort()).toEqual([...relationsByPermission[question]].sort());
  });

  it('has an advisor by themselves or by an engaged firm, and a household’s members', () => {
    expect(account.advisor?.union?.child).toMatchObject([
      { this: {} },
      { tupleToUserset: { tupleset: { relation: 'firm' }, computedUserset: { relation: 'advisor' } } },
    ]);
    expect(account.household_member).toMatchObject({
      tupleToUserset: { tupleset: { relation: 'household' }, computedUserset: { relation: 'member' } },
    });
  });

  it('bounds by two times, against a third that the gateway tells', () => {
    const times = Object.entries(model.conditions?.during?.parameters ?? {});
    expect(times.map(([name, { type_name }]) => [name, type_name])).toEqual([
      ['now', 'TYPE_NAME_TIMESTAMP'],
      ['from', 'TYPE_NAME_TIMESTAMP'],
      ['until', 'TYPE_NAME_TIMESTAMP'],
    ]);
  });
});
