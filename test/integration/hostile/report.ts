import { named, routes } from './routes.ts';
import { areas, type Result } from './row.ts';

/** Beyond so many, places are counted; what they are stands at the end. */
const MOST_NAMED = 3;

/** docs/develop/SECURITY-TESTS.md: the same text for the same results. */
export function report(results: readonly Result[]): string {
  const unexpected = results.filter(({ expected, actual }) => actual !== expected).length;
  const lines = [
    '# Security tests',
    '',
    '`npm run test:hostile` attacks a whole sandbox home on loopback (identity provider, phone, gateway, MCP endpoint, paper broker) and writes this page. The attacker has the provider’s own signing key, a session of Alice’s, Bob’s phone, other agents, and what a company’s people and clients have: each request is sound but for the one fault that its row names. After all of them the broker’s book has the orders that Alice approved and no other, and the gateway’s record no line more but of what her own key signed.',
    '',
    `${results.length} rows, ${unexpected} unexpected.`,
    '',
    '| Area | Rows |',
    '|---|---|',
    ...areas.map((area) => `| ${area} | ${results.filter((row) => row.area === area).length} |`),
  ];
  for (const area of areas) {
    lines.push('', `## ${area[0]?.toUpperCase()}${area.slice(1)}`, '');
    lines.push('| What | Where | Expected | Result |', '|---|---|---|---|');
    const rows = results.filter((row) => row.area === area);
    for (const group of Map.groupBy(rows, ({ what, expected, actual }) => `${what}\n${expected}\n${actual}`).values()) {
      const [{ what, expected, actual } = { what: '', expected: '', actual: '' }] = group;
      const result = actual === expected ? 'as expected' : actual;
      lines.push(`| ${[what, places(group), expected, result].map(cell).join(' | ')} |`);
    }
  }
  lines.push('', '## The gateway’s routes', '', ...routes.map((route) => `- \`${named(route)}\``), '');
  return lines.join('\n');
}

function places(group: readonly Result[]): string {
  const at = [...new Set(group.map((row) => row.at))].filter((place) => place !== '');
  if (at.length <= MOST_NAMED) return at.map((place) => `\`${place}\``).join(', ');
  return at.length === routes.length ? `all ${at.length} routes` : `${at.length} places`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
