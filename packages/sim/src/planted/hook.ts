/**
 * Plants the bug named by `FOLKMOOT_PLANT` in this process: `node --import hook.ts …`. The source is changed on its way from
 * the disk to the engine; no file is touched.
 */
import { registerHooks } from 'node:module';
import { PLANTED_BUGS } from './index.ts';
import { planted } from './planted.ts';

const name = process.env.FOLKMOOT_PLANT;
const bug = PLANTED_BUGS.find((one) => one.name === name);
if (!bug) throw new Error(`no bug is called ${name}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${bug.file}`)) return loaded;
    return { ...loaded, source: planted(bug, new TextDecoder().decode(loaded.source as Uint8Array)) };
  },
});
