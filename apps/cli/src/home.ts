/** Where a member's state lives. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** `folkmoot` in the user's data directory, by the custom of the platform. */
export function defaultHome(platform: string = process.platform, env: NodeJS.ProcessEnv = process.env): string {
  return join(dataDirectory(platform, env), 'folkmoot');
}

function dataDirectory(platform: string, env: NodeJS.ProcessEnv): string {
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support');
  if (platform === 'win32') return env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  const xdg = env.XDG_DATA_HOME;
  // The XDG specification has relative paths ignored.
  return xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'share');
}
