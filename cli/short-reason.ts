/** The reason of a failed copy, without what the row around it says already: the ledger has the alert's whole subject. */
export function shortReason(reason: string): string {
  return reason.replace(/^EBS copy [a-z ]+: \S+ to \S+: /, '');
}
