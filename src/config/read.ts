/** YAML text → plain values, with the place of each and its variables put in. Knows nothing of what the keys mean. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { NOTHING_STORED, type Stored } from '../secrets/store.ts'
import { type Env, interpolate } from './interpolate.ts'
import { type Path, type Problem, showPath } from './problem.ts'

export interface Place {
  line: number
  column: number
}

export interface ReadFile {
  value: unknown
  errors: Problem[]
  warnings: Problem[]
  /** Where the key (or the list item) at a path stands; the nearest one above where it stands nowhere itself. */
  placeOf(path: Path): Place
  /** Whether a variable was put into the text at a path: it may be a secret, and it may stand for a number. */
  fromEnvironment(path: Path): boolean
  /** The text at a path before variables were put in. */
  rawAt(path: Path): string | undefined
  /** Whether an error was found at a path already, so that no second one is told of it. */
  broken(path: Path): boolean
}

/** Above this, aliases that multiply each other are an attack or a slip, not a configuration. */
const MOST_VALUES = 100_000
const DEEPEST = 64

/**
 * @param envAt the variables that a text at a path may use; their values never appear in a problem
 * @param stored what was found behind references to secrets
 */
export function readYaml(text: string, envAt: (path: Path) => Env, stored: Stored = NOTHING_STORED): ReadFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true, uniqueKeys: false, prettyErrors: false })
  const errors: Problem[] = []
  const warnings: Problem[] = []
  const places = new Map<string, Place>()
  const raws = new Map<string, string>()
  const brokenPaths = new Set<string>()
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const placeOf = (path: Path): Place => {
    for (let n = path.length; n >= 0; n--) {
      const place = places.get(keyOf(path.slice(0, n)))
      if (place) return place
    }
    return { line: 1, column: 1 }
  }
  const complain = (path: Path, place: Place, message: string, list = errors) => {
    list.push({ ...place, path: showPath(path), message })
    if (list === errors) brokenPaths.add(keyOf(path))
  }
  for (const error of document.errors) complain([], at(error.pos[0]), yamlMessage(error.code, error.message))
  for (const warning of document.warnings)
    complain([], at(warning.pos[0]), yamlMessage(warning.code, warning.message), warnings)

  let values = 0
  let overflowed = false
  const build = (node: Node | null | undefined, path: Path, depth: number): unknown => {
    if (++values > MOST_VALUES || depth > DEEPEST) {
      if (!overflowed) complain([], placeOf(path), 'is too large or too deep. An alias (`*name`) may hold itself.')
      overflowed = true
      return undefined
    }
    if (overflowed || !node) return undefined
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target) return build(target, path, depth + 1)
      complain(path, at(node.range?.[0] ?? 0), `there is no anchor \`&${node.source}\` above for this alias.`)
      return undefined
    }
    if (isMap(node)) return buildMap(node, path, depth)
    if (isSeq(node))
      return node.items.map((item, i) => {
        const child = [...path, i]
        const start = (item as Node).range?.[0]
        if (start !== undefined) places.set(keyOf(child), at(start))
        const built = build(item as Node, child, depth + 1)
        return built === undefined ? null : built
      })
    if (!isScalar(node)) return undefined
    return buildScalar(node.value, node.source, path)
  }
  const buildScalar = (value: unknown, source: string | undefined, path: Path): unknown => {
    if (value === null) {
      // `key:` with nothing behind it is a slip more often than a wish; `key: null` is a wish.
      if (source === '' && path.length > 1)
        complain(path, placeOf(path), 'has no value and is left out. Write `null` if that is meant.', warnings)
      return undefined
    }
    if (typeof value === 'bigint') return Number(value)
    if (typeof value !== 'string') return value
    const done = interpolate(value, envAt(path), stored)
    for (const error of done.errors) complain(path, placeOf(path), error)
    if (done.changed) raws.set(keyOf(path), value)
    return done.text
  }
  const buildMap = (node: YAMLMap, path: Path, depth: number): Record<string, unknown> => {
    const built: Record<string, unknown> = Object.create(null)
    const own = new Map<string, Place>()
    // What is merged in comes first, so that keys of the map itself win over it wherever they stand.
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      if (!isMerge(pair)) continue
      const source = isAlias(pair.value) ? pair.value.resolve(document) : pair.value
      const parts = isSeq(source) ? [...source.items].reverse() : [source]
      for (const part of parts) {
        const merged = build(part as Node, path, depth + 1)
        if (typeof merged === 'object' && merged !== null && !Array.isArray(merged)) Object.assign(built, merged)
        else if (!overflowed) complain(path, at(pair.key.range?.[0] ?? 0), '`<<` takes a map, or a list of maps.')
      }
    }
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      if (isMerge(pair)) continue
      const place = at(pair.key?.range?.[0] ?? node.range?.[0] ?? 0)
      if (!isScalar(pair.key)) {
        complain(path, place, 'a key must be plain text.')
        continue
      }
      const key = String(pair.key.source ?? pair.key.value)
      const child = [...path, key]
      const earlier = own.get(key)
      if (earlier) {
        complain(child, place, `stands here twice; the first is in line ${earlier.line}. Keep one of them.`)
        continue
      }
      own.set(key, place)
      places.set(keyOf(child), place)
      built[key] = build(pair.value, child, depth + 1)
    }
    return { ...built }
  }
  const value = document.errors.length > 0 ? undefined : build(document.contents as Node | null, [], 0)
  return {
    value,
    errors,
    warnings,
    placeOf,
    fromEnvironment: (path) => raws.has(keyOf(path)),
    rawAt: (path) => raws.get(keyOf(path)),
    broken: (path) => brokenPaths.has(keyOf(path)),
  }
}

const keyOf = (path: Path): string => JSON.stringify(path)

const isMerge = (pair: Pair<Node, Node | null>): boolean =>
  isScalar(pair.key) && pair.key.source === '<<' && pair.key.type === 'PLAIN'

const yamlMessage = (code: string, message: string): string =>
  code === 'MULTIPLE_DOCS'
    ? 'holds several documents. Keep one: remove the line `---`.'
    : `is not valid YAML: ${message.replace(/\.?$/, '.')}`
