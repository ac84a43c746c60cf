import { describe, expect, it } from 'vitest';
import { compilePattern, EventPatternError } from '../../../sandbox/events/pattern.ts';

const event = {
  source: 'aws.ec2',
  'detail-type': 'EBS Snapshot Notification',
  resources: ['arn:aws:ec2::eu-west-1:snapshot/snap-1', 'other'],
  detail: {
    event: 'createSnapshot',
    result: 'succeeded',
    cause: '',
    nothing: null,
    progress: 85.5,
    incremental: false,
    snapshots: [
      { status: 'completed', volume: 'vol-1' },
      { status: 'error', volume: 'vol-2' },
    ],
  },
};

describe('an event pattern', () => {
  it.each([
    ['a field with one of the values', { source: ['aws.ebs', 'aws.ec2'] }],
    ['all fields', { source: ['aws.ec2'], detail: { event: ['createSnapshot'], result: ['succeeded'] } }],
    ['an empty text', { detail: { cause: [''] } }],
    ['null', { detail: { nothing: [null] } }],
    ['a number, however it is written', { detail: { progress: [85.5] } }],
    ['a truth value', { detail: { incremental: [false] } }],
    ['one element of an array', { resources: ['other'] }],
    ['one object of an array, as a whole', { detail: { snapshots: { status: ['error'], volume: ['vol-2'] } } }],
    ['a beginning', { resources: [{ prefix: 'arn:aws:ec2:' }] }],
    ['a beginning, whatever its case', { detail: { event: [{ prefix: { 'equals-ignore-case': 'CREATE' } }] } }],
    ['an end', { detail: { event: [{ suffix: 'Snapshot' }] } }],
    ['a text, whatever its case', { detail: { event: [{ 'equals-ignore-case': 'CREATESNAPSHOT' }] } }],
    ['a wildcard', { resources: [{ wildcard: 'arn:*:snapshot/snap-*' }] }],
    ['anything but a value', { detail: { result: [{ 'anything-but': 'failed' }] } }],
    ['anything but a list', { detail: { progress: [{ 'anything-but': [1, 2] }] } }],
    ['anything but a beginning', { detail: { event: [{ 'anything-but': { prefix: ['copy', 'share'] } }] } }],
    ['anything but an end', { detail: { event: [{ 'anything-but': { suffix: 'Snapshots' } }] } }],
    ['a field that is there', { detail: { cause: [{ exists: true }] } }],
    ['a field that is not there', { detail: { copy: { id: [{ exists: false }] } } }],
    ['a number in a range', { detail: { progress: [{ numeric: ['>', 85, '<=', 85.5] }] } }],
    ['either of two', { detail: { $or: [{ result: ['failed'] }, { event: ['createSnapshot'] }] } }],
  ])('matches %s', (_, pattern) => {
    expect(compilePattern(pattern)(event)).toBe(true);
  });

  it.each([
    ['another value', { source: ['aws.states'] }],
    ['one of two fields only', { detail: { event: ['createSnapshot'], result: ['failed'] } }],
    ['a number written as text', { detail: { progress: ['85.5'] } }],
    ['a truth value written as text', { detail: { incremental: ['false'] } }],
    ['a part of a text', { detail: { event: ['create'] } }],
    ['fields of different objects of an array', { detail: { snapshots: { status: ['error'], volume: ['vol-1'] } } }],
    ['a beginning in the middle', { detail: { event: [{ prefix: 'Snapshot' }] } }],
    ['a wildcard that needs more', { detail: { event: [{ wildcard: 'create*Snapshot*s' }] } }],
    ['a star that is meant literally', { detail: { event: [{ wildcard: 'create\\*' }] } }],
    ['an absent field as anything but', { detail: { owner: [{ 'anything-but': 'x' }] } }],
    ['what was excepted', { detail: { result: [{ 'anything-but': ['succeeded'] }] } }],
    ['an object as a field that is there', { detail: [{ exists: true }] }],
    ['a number beyond a range', { detail: { progress: [{ numeric: ['>', 0, '<', 85.5] }] } }],
    ['neither of two', { detail: { $or: [{ result: ['failed'] }, { event: ['copySnapshot'] }] } }],
    [
      'either of two, if another field does not',
      { detail: { cause: ['x'], $or: [{ result: ['succeeded'] }, { event: ['x'] }] } },
    ],
  ])('does not match %s', (_, pattern) => {
    expect(compilePattern(pattern)(event)).toBe(false);
  });

  it.each([
    [
      'an operator that it does not know',
      { source: [{ cidr: '10.0.0.0/8' }] },
      'pattern.source[0]: the sandbox does not know the operator cidr',
    ],
    [
      'two operators in one',
      { source: [{ prefix: 'a', suffix: 'b' }] },
      'must be a value, or an object with one operator',
    ],
    ['a value without a list', { source: 'aws.ec2' }, 'pattern.source: must be an object with fields'],
    ['an empty list', { source: [] }, 'an empty list matches nothing'],
    ['an empty pattern', {}, 'must be an object with fields'],
    ['a range that makes no sense', { detail: { n: [{ numeric: ['about', 5] }] } }, 'does not understand ["about",5]'],
    [
      'an anything-but that it does not know',
      { source: [{ 'anything-but': { numeric: ['>', 1] } }] },
      'does not understand',
    ],
  ])('is refused with %s', (_, pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(EventPatternError);
    expect(() => compilePattern(pattern)).toThrow(message);
  });
});
