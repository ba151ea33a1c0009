import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createProgramForDocs, listAllCommands } from '../../../src/cli/program.ts';
import { getHomeDataFolder } from '../../../src/machine/directories.ts';

const text = readFileSync(new URL('../../../deploy/Dockerfile', import.meta.url), 'utf8');
const { name, bin, engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  name: string;
  bin: Record<string, string>;
  engines: { node: string };
};
const line = (instruction: string) =>
  text
    .split('\n')
    .find((one) => one.startsWith(`${instruction} `))
    ?.slice(instruction.length + 1) ?? '';

it('the image is made of the packed package alone, as a user without rights', () => {
  expect(line('COPY')).toBe(`${name}-*.tgz /tmp/`);
  expect(text.match(/^COPY|^ADD/gm)).toEqual(['COPY']);
  expect(line('USER')).toBe('1000:1000');
  // Below this the package can't be run.
  const [, version] = /^node:(\d+)/.exec(line('FROM')) ?? [];
  expect(engines.node).toContain('>=23');
  expect(Number(version)).toBeGreaterThanOrEqual(24);
});

it('it serves a home by a command that there is, from the one folder that is kept', async () => {
  const [program, ...words] = [...JSON.parse(line('ENTRYPOINT')), ...JSON.parse(line('CMD'))] as string[];
  expect(Object.keys(bin)).toContain(program);
  const [noun, verb, option, listen] = words;
  const commands = listAllCommands(await createProgramForDocs());
  const serve = commands.find((command) => command.name() === verb && command.parent?.name() === noun);
  const found = serve?.options.find(({ long }) => long === option);
  expect(found?.parseArg?.(listen ?? '', undefined)).toEqual({ host: '0.0.0.0', port: 4780 });
  expect(line('EXPOSE')).toBe('4780');
  const [, TRADE_AGENT_HOME] = /TRADE_AGENT_HOME=(\S+)/.exec(line('ENV')) ?? [];
  expect(getHomeDataFolder({ TRADE_AGENT_HOME }).startsWith(`${line('VOLUME')}/`)).toBe(true);
});
