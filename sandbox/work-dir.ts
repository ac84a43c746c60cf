import { fileURLToPath } from 'node:url';

/** The folder of the sandbox's own files. Everything in it can be deleted at any time when no sandbox runs. */
export const WORK_DIR: string = fileURLToPath(new URL('../.sandbox', import.meta.url));
