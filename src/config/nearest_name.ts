/**
 * The candidate that `word` was probably meant to be, or `undefined` if none is near. Near is an edit
 * distance of at most a third of the word (at least 1), where two swapped neighbours count as one
 * edit, and a candidate that `word` begins (`expiry` for `expiry_ms`) counts as one edit away.
 * Of equally near candidates the first is taken.
 */
export function nearestName(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = nameDistance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Words longer than this are compared with nothing: they are no slip of the finger. */
const WORD_LENGTH_MAX = 80;

function nameDistance(word: string, candidate: string): number {
  if (word === candidate) return 0;
  if (word.length > WORD_LENGTH_MAX || word.length === 0) return Infinity;
  if (candidate.startsWith(`${word}_`)) return 1;
  return editDistance(word, candidate);
}

/** Restricted Damerau-Levenshtein distance: insert, delete, replace, swap neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
