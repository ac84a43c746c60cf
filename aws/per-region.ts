/** Makes what is needed once for each Region (or account), when it is first asked for. */
export function perRegion<T>(make: (region: string) => T): (region: string) => T {
  const made = new Map<string, T>();
  return (region) => {
    const existing = made.get(region);
    if (existing !== undefined) return existing;
    const created = make(region);
    made.set(region, created);
    return created;
  };
}
