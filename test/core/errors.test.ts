import { describe, expect, it } from 'vitest';
import { copiedToTag } from '../../core/copier-tags.ts';
import * as errors from '../../core/errors.ts';

const { CopierError, ...classes } = errors;

describe('an error of the service', () => {
  // Step Functions compares names letter by letter, and minifying renames classes.
  it.each(Object.entries(classes))('has its name written out: %s', (name, Class) => {
    const error = new Class('what is wrong');
    expect(error.name).toBe(name);
    expect(error).toBeInstanceOf(CopierError);
  });
});

describe('the mark on a source', () => {
  it('names the destination of its copy', () => {
    expect(copiedToTag('eu-central-1')).toBe('snapshot-copier:copied-to:eu-central-1');
  });
});
