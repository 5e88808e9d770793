/** The checkout that this command was started from. */
import { fileURLToPath } from 'node:url';

/** Absolute path of the project's root, without a slash at the end. */
export const projectRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');
