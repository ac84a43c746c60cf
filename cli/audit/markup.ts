/** Text that is HTML, or SVG within it, and safe to be put into more of it. */
export interface Markup {
  readonly markup: string;
}

export type Piece = Markup | string | number | readonly Markup[];

/** Template of HTML: what is put in is escaped, unless it is markup itself. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return { markup: parts.reduce((whole, part, index) => whole + asMarkup(pieces[index - 1] ?? '') + part) };
}

export const NOTHING: Markup = { markup: '' };

/** Text that users wrote: escaped, without what steers a terminal or the direction of writing, and kept apart from ours. */
export function userText(text: string): Markup {
  return html`<bdi>${text}</bdi>`;
}

function asMarkup(piece: Piece): string {
  if (typeof piece === 'string') return escaped(piece);
  if (typeof piece === 'number') return String(piece);
  return 'markup' in piece ? piece.markup : piece.map(({ markup }) => markup).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text
    .replaceAll(/[[\p{Cc}\p{Cf}\p{Cs}]--[\n]]/gv, '·')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
