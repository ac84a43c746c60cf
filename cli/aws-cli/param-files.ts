import { readFileSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';

/** A file that is named in place of a value, and cannot be read. */
export class ParamFileError extends Error {
  override readonly name = 'ParamFileError';
}

/** What `file://` and `fileb://` lead to. */
export interface Files {
  /** @throws what Node throws */
  read(path: string): Uint8Array;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The files of this machine. */
export function localFiles(): Files {
  return { read: (path) => readFileSync(path), environment: process.env };
}

/**
 * What a value stands for: `file://…` for the text of a file, `fileb://…` for its bytes, any other for itself. `~` and
 * `$NAME` in the path are filled in. URLs are not fetched, as in version 2 of the AWS command line.
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
 *
 * @throws ParamFileError
 */
export function fromFile(value: string, files: Files): string | Uint8Array {
  if (value.startsWith('fileb://')) return read(value, value.slice('fileb://'.length), files);
  return value.startsWith('file://') ? text(value, value.slice('file://'.length), files) : value;
}

function text(value: string, path: string, files: Files): string {
  const bytes = read(value, path, files);
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return decoded.replaceAll(/\r\n?/g, '\n');
  } catch {
    throw new ParamFileError(
      `Unable to load paramfile (${expand(path, files)}), text contents could not be decoded.  If this is a binary file, please use the fileb:// prefix instead of the file:// prefix.`,
    );
  }
}

function read(value: string, path: string, files: Files): Uint8Array {
  const expanded = expand(path, files);
  try {
    return files.read(expanded);
  } catch (error) {
    throw new ParamFileError(`Unable to load paramfile ${value}: ${inWords(error)}: '${expanded}'`);
  }
}

function expand(path: string, { environment }: Files): string {
  const atHome = path.replace(/^~(?=\/|$)/, () => environment['HOME'] ?? '~');
  return atHome.replaceAll(
    /\$(?:(\w+)|\{([^}]*)\})/g,
    (written, name: string | undefined, braced: string | undefined) => environment[name ?? braced ?? ''] ?? written,
  );
}

function inWords(error: unknown): string {
  const number = error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  const [, words] = getSystemErrorMap().get(number) ?? [];
  if (words === undefined) return error instanceof Error ? error.message : String(error);
  return `[Errno ${-number}] ${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
