/** The known word that somebody probably meant, or undefined if none is close. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, edits: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(2, candidate.length / 3))
    .toSorted((a, b) => a.edits - b.edits);
  return near[0]?.candidate;
}

/** How many letters must be added, dropped or changed (Levenshtein). Words beyond 40 letters are compared by their start. */
function editDistance(from: string, to: string): number {
  const target = to.slice(0, 40).split('');
  let row = [0, ...target.map((_, index) => index + 1)];
  let distance = target.length;
  for (const [index, letter] of from.slice(0, 40).split('').entries()) {
    let diagonal = index;
    distance = index + 1;
    row = [
      distance,
      ...row.slice(1).map((above, column) => {
        distance = Math.min(above + 1, distance + 1, diagonal + (letter === target[column] ? 0 : 1));
        diagonal = above;
        return distance;
      }),
    ];
  }
  return distance;
}
