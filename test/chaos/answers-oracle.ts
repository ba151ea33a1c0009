import type { Evidence, Must } from './oracle.ts';

/** What clients were told holds together, whichever process told it. */
export function checkAnswers({ world, rows, linesOf }: Evidence, must: Must): void {
  const keys = new Map<string, { readonly body: string; readonly id: string }>();
  for (const told of world.told) {
    if (told.what !== 'proposed' || told.id === undefined) continue;
    const { sub, clientId } = told.who;
    const name = `${sub} ${clientId} ${told.key}`;
    const first = keys.get(name);
    if (first === undefined) keys.set(name, { body: told.body, id: told.id });
    must(first === undefined || first.body === told.body, `${name} stood for two different bodies`);
    must(first === undefined || first.id === told.id, `${name} was answered with two proposals`);
    const row = rows.find(({ id }) => id === told.id);
    must(row !== undefined, `${name} was answered with a proposal that there is not`);
    must(row === undefined || (row.sub === sub && row.client === clientId), `${name} got somebody else's proposal`);
  }
  const seen = new Map<string, { readonly version: number; readonly ended: number }>();
  for (const told of world.told) {
    if (told.what !== 'seen') continue;
    const before = seen.get(told.id);
    // Only where one was answered before the other was asked does their order say anything.
    const isLater = before !== undefined && before.ended < told.begun;
    must(!isLater || told.version >= before.version, `${told.id} was told older than before`);
    seen.set(told.id, told);
    const row = rows.find(({ id }) => id === told.id);
    const was = row !== undefined && linesOf(row).some((line) => line.state === told.state);
    must(was, `${told.id} was told as ${told.state}, and it never was`);
  }
}
