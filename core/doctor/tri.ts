/** Three-valued logic: what cannot be decided stays so. */
export type Tri = 'yes' | 'no' | 'unknown';

export function allOf(answers: readonly Tri[]): Tri {
  if (answers.includes('no')) return 'no';
  return answers.includes('unknown') ? 'unknown' : 'yes';
}

export function anyOf(answers: readonly Tri[]): Tri {
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unknown') ? 'unknown' : 'no';
}

export function not(answer: Tri): Tri {
  if (answer === 'unknown') return 'unknown';
  return answer === 'yes' ? 'no' : 'yes';
}

export function tri(holds: boolean): Tri {
  return holds ? 'yes' : 'no';
}
