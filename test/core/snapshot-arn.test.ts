import { expect, it } from 'vitest';
import { snapshotIdOf } from '../../core/snapshot-arn.ts';

it.each([
  'arn:aws:ec2::eu-west-1:snapshot/snap-0a1b2c3d4e5f60718',
  'arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718',
  'arn:aws:ec2:eu-west-1:444455556666:snapshot/snap-0a1b2c3d4e5f60718',
  'snap-0a1b2c3d4e5f60718',
])('the snapshot in %s is found', (arn) => {
  expect(snapshotIdOf(arn)).toBe('snap-0a1b2c3d4e5f60718');
});

it('an id of the old length is one', () => {
  expect(snapshotIdOf('arn:aws:ec2::us-east-1:snapshot/snap-0a1b2c3d')).toBe('snap-0a1b2c3d');
});

it.each([
  'arn:aws:ec2:eu-west-1:444455556666:volume/vol-0123456789abcdef0',
  'arn:aws:ec2::eu-west-1:snapshot/',
  'snap-0A1B2C3D',
  'snap-0a1b2c3d4e5f607181',
  '444455556666',
  '',
])('there is none in "%s"', (text) => {
  expect(snapshotIdOf(text)).toBeUndefined();
});
