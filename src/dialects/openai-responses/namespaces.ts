/**
 * Tools in groups (`type: 'namespace'`), which Codex sends for each MCP server. No other dialect has groups: there each
 * function goes by one name made of both, and what the model calls by it is given back as the call that the caller knows.
 */
import type { Chat, Json, Tool } from '../canonical.ts'
import { isObject, isString, wordOf } from '../wire.ts'

/** The longest name of a function that OpenAI and Anthropic take. */
const LONGEST = 64
const JOINT = '__'

/** FNV-1a, six letters or digits: enough to tell apart the tools of one request. */
function digest(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash.toString(36).padStart(6, '0').slice(-6)
}

/** The names that functions of groups go by in one request; the same for the same request. */
export class Names {
  private readonly taken: Set<string>
  private readonly known = new Map<string, string>()

  /** @param tools as the caller wrote them: the names of those without a group are not given to others */
  constructor(tools: readonly unknown[]) {
    this.taken = new Set(tools.flatMap((tool) => (isObject(tool) && isString(tool.name) ? [tool.name] : [])))
  }

  /** One name of letters, digits, `_` and `-`, at most 64 of them. */
  of(group: string, name: string): string {
    const key = JSON.stringify([group, name])
    const known = this.known.get(key)
    if (known !== undefined) return known
    const joined = `${group}${JOINT}${name}`
    const clean = joined.replace(/[^a-zA-Z0-9_-]/g, '_')
    let made = clean
    for (let salt = 0; made.length > LONGEST || (made !== joined && salt === 0) || this.taken.has(made); salt++)
      made = `${clean.slice(0, LONGEST - 7)}_${digest(key + salt)}`
    this.taken.add(made)
    this.known.set(key, made)
    return made
  }

  /** The name of the only function in a group that the caller calls so; undefined where none or several are. */
  only(name: string): string | undefined {
    const found = [...this.known].filter(([key]) => (JSON.parse(key) as string[])[1] === name)
    return found.length === 1 ? found[0]![1] : undefined
  }
}

/** Tools of one group that follow each other, as the group that they came in. */
export function regroup(tools: readonly Tool[], write: (tool: Tool) => Json[]): Json[] {
  const written: Json[] = []
  let open: Json | undefined
  for (const tool of tools) {
    const { group } = tool
    if (!group) {
      open = undefined
      written.push(...write(tool))
    } else if (open === group.fields) {
      ;(written.at(-1)!.tools as Json[]).push(group.tool)
    } else {
      open = group.fields
      written.push({ ...group.fields, tools: [group.tool] })
    }
  }
  return written
}

/** What a call by this name is called in the caller's own words. */
export function ungroup(chat: Chat): (name: string) => { name: string; namespace?: string } {
  const known = new Map<string, { name: string; namespace: string }>()
  for (const { name, group } of chat.tools ?? [])
    if (group) known.set(name, { name: wordOf(group.tool.name), namespace: wordOf(group.fields.name) })
  return (name) => known.get(name) ?? { name }
}
