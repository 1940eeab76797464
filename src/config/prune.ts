/**
 * Takes out of a file's value what the schema refused, so that the rest can still be checked and every error is told
 * at once. Indexes stay as they are, since places are found by them; what must be there gets a stand-in.
 */
import type { Path } from './problem.ts'

const STAND_IN = 'stand-in/stand-in'

const REQUIRED: Readonly<Record<string, () => unknown>> = {
  model_name: () => STAND_IN,
  model: () => STAND_IN,
  litellm_params: () => ({ model: STAND_IN }),
}

type Container = Record<string | number, unknown>

/** Changes `root` so that nothing wrong stands at `path` any more. */
export function prune(root: unknown, path: Path): void {
  const last = path.at(-1)
  if (last === undefined) return
  // What is left of a way in without one of its words says something else.
  if (path[0] === 'tollgate' && path[1] === 'auth' && path.length > 2) {
    prune(root, path.slice(0, 2))
    return
  }
  const parent = valueAt(root, path.slice(0, -1)) as Container | undefined
  if (typeof parent !== 'object' || parent === null) return
  if (path.length === 2 && path[0] === 'model_list') {
    parent[last] = { model_name: STAND_IN, litellm_params: { model: STAND_IN } }
    return
  }
  if (Array.isArray(parent)) {
    prune(root, path.slice(0, -1))
    return
  }
  const standIn = Object.hasOwn(REQUIRED, last) ? REQUIRED[last] : undefined
  if (standIn && (path[0] === 'model_list' || path[1] === 'model_group_alias') && !path.includes('model_info'))
    parent[last] = standIn()
  else delete parent[last]
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let at = root
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Container)[part]
  }
  return at
}

/** Puts a value in the place of another. */
export function replace(root: unknown, path: Path, value: unknown): void {
  const parent = valueAt(root, path.slice(0, -1)) as Container | undefined
  const last = path.at(-1)
  if (parent && last !== undefined) parent[last] = value
}
