import { lstatSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { resolveHome } from '../../../machine/directories.ts';
import { type Finding, fail, ok, warn } from '../../doctor/finding.ts';
import { folderProblem } from '../new-folder.ts';

/** Bytes. Journals grow by about 2 KiB an order; a full disk stops all trading. */
const LITTLE_ROOM = 200 * 1024 ** 2;

/** Whether the folder and everything in it is its owner's alone. */
export function checkFolder(folder: string): Finding {
  const problem = folderProblem(lstatSync(folder));
  if (problem !== undefined) return fail('folder', `${folder}: ${problem}`, `chmod 700 '${folder}'`);
  if (process.platform === 'win32') return ok('folder', folder);
  for (const name of readdirSync(folder)) {
    // A firm's rules may be root's; that nobody else could have written them is looked at as they are read.
    if (name === 'firm') continue;
    const file = join(folder, name);
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (found.isSymbolicLink())
      return fail('folder', `${file} is a symbolic link`, 'Put the file itself there.');
    if (found.uid !== process.getuid?.())
      return fail('folder', `${file} belongs to another user`, `chown it to the home's own user.`);
    if ((found.mode & 0o077) !== 0) return fail('folder', `others may open ${file}`, `chmod go= '${file}'`);
  }
  const above = dirname(folder);
  const { mode } = statSync(above);
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
    return warn(
      'folder',
      `others may write to ${above}, and put another folder in this one's place`,
      `chmod go-w '${above}'`,
    );
  }
  return ok('folder', `${folder}: its owner's alone`);
}

/**
 * Whether whatever an agent of this machine runs could read the home. The same user is the same rights: files of mode 0600
 * are no border then.
 */
export function checkSeparation(folder: string, env: NodeJS.ProcessEnv): Finding {
  const owner = lstatSync(folder).uid;
  const agent = statSync(resolveHome(env).data, { throwIfNoEntry: false });
  if (process.platform === 'win32') {
    return warn(
      'user',
      'the agent may run as the same user as the home',
      'Run the home on a machine of its own.',
    );
  }
  if (agent === undefined) return ok('user', 'no agent is set up for this user');
  if (agent.uid !== owner) return ok('user', 'the agent here is another user’s');
  return warn(
    'user',
    'the agent runs as the same user: whatever it is brought to run could read the broker keys here. It could still sign nothing',
    'Run the home as a user of its own ("trade-agent home service"), or on another machine; docs/guide/HOME.md shows both.',
  );
}

export function checkDisk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const message = `${Math.floor(free / 1024 ** 2)} MiB free`;
  return free < LITTLE_ROOM
    ? warn('disk', message, 'Make room: while nothing can be written, nothing is traded.')
    : ok('disk', message);
}
