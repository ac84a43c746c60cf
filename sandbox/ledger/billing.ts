// What DynamoDB bills on demand: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
import { isDeepStrictEqual } from 'node:util';
import type { Item } from '../../aws/ledger-items.ts';

/**
 * Bytes of an item: names and values. A number takes a byte, and one for every two digits.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function sizeOf(item: Item): number {
  let bytes = 0;
  for (const [name, { S, N }] of Object.entries(item)) {
    bytes += Buffer.byteLength(name) + (N === undefined ? Buffer.byteLength(S ?? '') : 1 + Math.ceil(N.length / 2));
  }
  return bytes;
}

/** Of a consistent read, also one that finds nothing. */
export function readUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 4096));
}

/** Of a write to the table, also one whose condition does not hold: the larger of the item before and after. */
export function writeUnits(bytesBefore: number, bytesAfter: number): number {
  return Math.max(1, Math.ceil(Math.max(bytesBefore, bytesAfter) / 1024));
}

/**
 * What a write of the table adds for its local index; an item is moved in it by deleting and putting.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html#LSI.ThroughputConsiderations.Writes
 */
export function indexWriteUnits(before: Item | undefined, after: Item | undefined): number {
  const sizeBefore = before === undefined ? 0 : sizeOf(before);
  const sizeAfter = after === undefined ? 0 : sizeOf(after);
  if (isDeepStrictEqual(before, after)) return 0;
  const isMoved = before !== undefined && after !== undefined && before['place']?.S !== after['place']?.S;
  return isMoved ? writeUnits(sizeBefore, 0) + writeUnits(0, sizeAfter) : writeUnits(sizeBefore, sizeAfter);
}
