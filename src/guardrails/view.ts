/**
 * What guards see of a request and of an answer: every text in it, decoded, with the way back, so that a redaction changes
 * that text and no other. Pictures, sound and files are no text.
 */
import type { Chat, Embed, Extras, Message, Part, Reply, Rerank, Tool } from '../dialects/canonical.ts'
import { textOfFile } from '../dialects/parts.ts'
import type { Piece, PieceKind } from './guard.ts'
import { isOpaque, placesIn, textsIn, unescaped, withText } from './json-texts.ts'

export interface View {
  pieces: readonly Piece[]
  /**
   * Puts another text in the place of a piece. Of several the last one first: what stands before it keeps its place.
   * @returns what had to be left out for it, in the caller's words
   * @throws SyntaxError where it is no JSON any more and has to be
   */
  put(index: number, text: string): string | undefined
  /** Something in it is text to its model, and none to us (token ids). */
  isHidden: boolean
}

// biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to say.
type Put = (text: string) => string | undefined | void

function assign<T extends object>(to: T, changed: Partial<T>): undefined {
  Object.assign(to, changed)
}

class Builder {
  readonly pieces: Piece[] = []
  readonly #puts: Put[] = []
  isHidden = false

  add(kind: PieceKind, role: Piece['role'], text: string | undefined, put: Put, choice = 0): void {
    if (text === undefined || text === '') return
    this.pieces.push({ kind, role, text: unescaped(text), choice })
    this.#puts.push(put)
  }

  get view(): View {
    const { pieces, isHidden } = this
    return { pieces, isHidden, put: (index, text) => this.#puts[index]?.(text) ?? undefined }
  }
}

export function viewOf(asked: Chat | Embed | Rerank): View {
  const to = new Builder()
  if (asked.op === 'chat') viewChat(asked, to)
  else if (asked.op === 'embed') {
    for (const [i, input] of asked.input.entries())
      if (typeof input === 'string')
        to.add('text', 'user', input, (text) => {
          asked.input[i] = text
        })
      else to.isHidden = true
  } else {
    to.add('text', 'user', asked.query, (text) => {
      asked.query = text
    })
    addAny(asked.documents, to, 'text', 'user', () => {})
  }
  if (asked.op !== 'rerank') addUser(asked, to)
  if (asked.op !== 'chat') addExtras(asked.extras, to, 'user')
  return to.view
}

/** An id says nothing to anybody; an address or a number of somebody leaves the house like any text. */
function addUser(asked: Chat | Embed, to: Builder): void {
  const { user } = asked
  if (user === undefined || (isOpaque(user) && !/[./=+]/.test(user))) return
  to.add('text', 'user', user, (text) => assign(asked, { user: text }))
}

function viewChat(chat: Chat, to: Builder): void {
  const declared = namesOf(chat)
  for (const tool of chat.tools ?? []) addTool(tool, to)
  if (chat.format?.kind === 'schema') {
    const { format } = chat
    addJson(JSON.stringify(format.schema), to, (schema) => assign(format, { schema }))
    to.add('tool_definition', 'system', format.name, (text) => assign(format, { name: text }))
    to.add('tool_definition', 'system', format.description, (text) => assign(format, { description: text }))
  }
  const { toolChoice } = chat
  if (typeof toolChoice === 'object' && !declared.has(toolChoice.name))
    to.add('text', 'user', toolChoice.name, (name) => assign(toolChoice, { name }))
  for (const message of chat.messages) addMessage(message, to, declared)
  to.add('text', 'user', chat.suffix, (text) => {
    chat.suffix = text
  })
  for (const [i, stop] of (chat.stop ?? []).entries())
    to.add('text', 'user', stop, (text) => {
      chat.stop?.splice(i, 1, text)
    })
  // It is not for the model, and leaves the house all the same.
  for (const place of placesIn(chat.metadata, () => {}, true)) to.add('text', 'user', place.text, place.put)
  addExtras(chat.extras, to, 'user')
}

/** Names that were looked at as those of the tools that they belong to. */
export const namesOf = ({ tools = [] }: Pick<Chat, 'tools'>): ReadonlySet<string> =>
  new Set(tools.filter(({ foreign }) => !foreign).map(({ name }) => name))

function addMessage(message: Message, to: Builder, declared: ReadonlySet<string>): void {
  const { role, parts, name, extras } = message
  to.add('text', role, name, (text) => {
    message.name = text
  })
  addParts(parts, to, { role, choice: 0, declared })
  if (extras) addExtras(extras, to, role)
}

function addTool(tool: Tool, to: Builder): void {
  if (tool.foreign) {
    addAny(tool.foreign.fields, to, 'tool_definition', 'system', () => {})
    return
  }
  const { name, description, parameters, extras } = tool
  addJson(JSON.stringify({ name, description, parameters }), to, (changed) => Object.assign(tool, changed))
  if (extras) addAny(extras.fields, to, 'tool_definition', 'system', () => {})
  if (tool.group) addAny(tool.group.fields, to, 'tool_definition', 'system', () => {})
}

/** One piece of JSON: what it has become is read again. */
function addJson(json: string, to: Builder, put: (changed: Record<string, unknown>) => void): void {
  to.add('tool_definition', 'system', json, (text) => put(JSON.parse(text) as Record<string, unknown>))
}

function addAny(
  value: unknown,
  to: Builder,
  kind: PieceKind,
  role: Piece['role'],
  put: (value: unknown) => void,
): void {
  for (const place of placesIn(value, put)) to.add(kind, role, place.text, place.put)
}

/** Settings of a dialect's own (`service_tier: flex`) are no text; what is longer, a sentence, or within something is. */
function addExtras({ fields }: Extras, to: Builder, role: Piece['role'], choice = 0): void {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' && value.length < LEAST_EXTRA && isOpaque(value)) continue
    const put = (text: unknown) => assign(fields, { [name]: text })
    for (const place of placesIn({ [name]: value }, put)) {
      const isWhole = typeof value === 'string'
      const kind = DECLARED.has(name) ? 'tool_definition' : 'text'
      to.add(kind, role, place.text, isWhole ? put : place.put, choice)
    }
  }
}

/** Forms of answers, with their schemas: the developer's words. */
const DECLARED: ReadonlySet<string> = new Set([
  ...['text', 'response_format', 'format', 'output_config', 'output_format', 'generationConfig', 'generation_config'],
])
const LEAST_EXTRA = 20

/** Out of its list, wherever it stands by now. */
function leaveOut(part: Part, parts: Part[]): string {
  const at = parts.indexOf(part)
  if (at >= 0) parts.splice(at, 1)
  return 'thinking'
}

interface Where {
  role: Piece['role']
  choice: number
  /** Names of tools that were looked at. */
  declared: ReadonlySet<string>
  /** They are what a tool gave back. */
  within?: PieceKind
}

function addParts(parts: Part[], to: Builder, where: Where): void {
  const { role, choice, declared, within } = where
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        to.add(within ?? 'text', role, part.text, (text) => setText(part, text), choice)
        break
      case 'refusal':
        to.add(within ?? 'refusal', role, part.text, (text) => setText(part, text), choice)
        break
      case 'thinking': {
        // A thought that was changed is no longer what was signed: no model takes it back.
        const isSigned = part.signature !== undefined || part.extras !== undefined
        const put: Put = isSigned ? () => leaveOut(part, parts) : (text) => setText(part, text)
        to.add('thinking', role, part.text, put, choice)
        break
      }
      case 'call': {
        addId(part.id, (id) => assign(part, { id }), to, where)
        if (!declared.has(part.name))
          to.add('tool_args', role, part.name, (text) => assign(part, { name: text }), choice)
        const texts = textsIn(part.args)
        if (!texts) {
          to.add('tool_args', role, part.args, (text) => assign(part, { args: text }), choice)
          break
        }
        for (const place of texts)
          to.add(
            'tool_args',
            role,
            place.text,
            (text) => assign(part, { args: withText(part.args, place, text) }),
            choice,
          )
        break
      }
      case 'result':
        addId(part.callId, (callId) => assign(part, { callId }), to, where)
        if (part.name !== undefined && !declared.has(part.name))
          to.add('tool_result', 'tool', part.name, (text) => assign(part, { name: text }), choice)
        addParts(part.parts, to, { ...where, role: 'tool', within: 'tool_result' })
        break
      case 'file': {
        const { name: _, ...file } = part
        to.add('text', role, part.name, (text) => assign(part, { name: text }), choice)
        // A document that is text is read as text.
        to.add(within ?? 'text', role, textOfFile(file), (text) => setSource(part, text), choice)
        addAddress(part, to, where)
        break
      }
      case 'image':
        addAddress(part, to, where)
        break
      case 'foreign':
        addAny(part.extras.fields, to, within ?? 'text', role, () => {})
        break
    }
    if ('extras' in part && part.extras && part.type !== 'foreign' && part.type !== 'thinking')
      addExtras(part.extras, to, role, choice)
  }
}

/** What stands in the place of an id and is none. */
function addId(id: string, put: Put, to: Builder, { role, choice }: Where): void {
  if (!isOpaque(id)) to.add('text', role, id, put, choice)
}

/** What somebody fetches is told to him. */
function addAddress(part: Part & { type: 'file' | 'image' }, to: Builder, { role, choice, within }: Where): void {
  const { source } = part
  if (source.kind !== 'url') return
  for (const place of placesIn(source.url, (url) => assign(source, { url: String(url) })))
    to.add(within ?? 'text', role, place.text, place.put, choice)
}

function setSource({ source }: Part & { type: 'file' }, text: string): void {
  if (source.kind === 'data') source.data = Buffer.from(text).toString('base64')
}

/** What was signed with the text that it was goes with it. */
function setText(
  part: { text: string; extras?: { fields: Record<string, unknown> } },
  text: string,
): string | undefined {
  part.text = text
  const signed = Object.keys(part.extras?.fields ?? {}).filter((key) => /signature$/i.test(key))
  for (const key of signed) delete part.extras?.fields[key]
  return signed.length > 0 ? 'thinking' : undefined
}

/**
 * All choices, with what they quote and what they searched for.
 * @param declared names of the tools that the request has declared
 */
export function viewOfReply(reply: Reply, declared: ReadonlySet<string> = new Set()): View {
  const to = new Builder()
  for (const { index, parts, citations = [], searches = [] } of reply.choices) {
    addParts(parts, to, { role: 'assistant', choice: index, declared })
    for (const citation of citations) {
      const put = (key: 'quote' | 'title' | 'url') => (text: string) => assign(citation, { [key]: text })
      to.add('text', 'assistant', citation.quote, put('quote'), index)
      to.add('text', 'assistant', citation.title, put('title'), index)
      to.add('text', 'assistant', citation.url, put('url'), index)
    }
    for (const [i, query] of searches.entries())
      to.add(
        'text',
        'assistant',
        query,
        (text) => {
          searches[i] = text
        },
        index,
      )
  }
  if (reply.extras) addExtras(reply.extras, to, 'assistant')
  return to.view
}

/** @param names of files: they stand in heads of parts, which are not written anew, so that what has one to hide is refused */
export function viewOfForm(fields: Record<string, unknown>, names: readonly string[]): View {
  const to = new Builder()
  addAny(fields, to, 'text', 'user', () => {})
  const put = (): never => {
    throw new SyntaxError('Names of files are not changed.')
  }
  for (const name of names) to.add('text', 'user', name, put)
  return to.view
}

/** Texts that belong to no canonical form: the fields of a request that is passed on as it is. */
export function viewOfFields(fields: Record<string, unknown>): View {
  const to = new Builder()
  addAny(fields, to, 'text', 'user', () => {})
  return to.view
}
