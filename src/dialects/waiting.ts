/** Results of tools that come without their call's id are matched to the calls that wait for one. */

/** A call that waits for its result. */
export interface Waiting {
  id: string
  name: string
}

/**
 * Which call a result belongs to: the named one, else the first of that tool, else the first that waits. It waits no more.
 * @param otherwise the id of a result that nothing waits for
 */
export function answered(
  waiting: Waiting[],
  id: string | undefined,
  name: string | undefined,
  otherwise: string,
): string {
  const found = [
    (w: Waiting) => w.id === id,
    (w: Waiting) => id === undefined && w.name === name,
    () => id === undefined,
  ]
    .map((is) => waiting.findIndex(is))
    .find((index) => index >= 0)
  if (found === undefined) return id ?? otherwise
  return waiting.splice(found, 1)[0]!.id
}
