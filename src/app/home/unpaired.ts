import type { App } from '../app.ts';
import { withHome } from './open-home.ts';

/** Whether the one person of a home has nothing to approve with yet. */
export async function unpaired(app: Pick<App, 'clock'>, folder: string): Promise<boolean> {
  return await withHome(app, folder, async ({ people, keys }) => {
    const [owner, ...others] = people.list();
    return owner !== undefined && others.length === 0 && (await keys.list(owner.username)).length === 0;
  });
}
