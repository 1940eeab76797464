/**
 * Chunks of a stream in Gemini's words, both ways. Each has the shape of a whole answer. None says that it is the last one:
 * the end is the connection's.
 */
import type { Usage } from '../../core/usage.ts'
import type { Chat, Citation, Event, Extras, Finish, Json, ToolCall } from '../canonical.ts'
import type { Answering, Frame } from '../dialect.ts'
import { joinText } from '../parts.ts'
import { isObject, isString, parseReply } from '../wire.ts'
import { readCandidate, writeCalled, writeLogprobs } from './candidate.ts'
import { failureOf, interrupted } from './error.ts'
import { blockedFinish, writeFinish } from './finish.ts'
import { writeGrounding } from './grounding.ts'
import { PartialCalls } from './partial-args.ts'
import { ID } from './parts.ts'
import { readAnswerUsage, writeUsage } from './usage.ts'

export function reader(): (frame: Frame) => Event[] {
  let started = false
  const calls = new Map<number, number>()
  const partial = new Map<number, PartialCalls>()
  /** Text so far: what it comes from is told in places of all of it. */
  const texts = new Map<number, string>()

  /** The candidate with calls that came in pieces put together. */
  function gathered(value: Json, place: number): Json {
    const content = isObject(value.content) ? value.content : {}
    const open = partial.get(place) ?? new PartialCalls()
    partial.set(place, open)
    const parts = open.gather(Array.isArray(content.parts) ? content.parts : [])
    // At a limit the call was cut; at any other end it is all that there is of it.
    if (isString(value.finishReason) && value.finishReason !== 'MAX_TOKENS') parts.push(...open.close())
    return { ...value, content: { ...content, parts } }
  }

  function readChoice(value: Json, position: number): Event[] {
    const place = typeof value.index === 'number' ? value.index : position
    const whole = gathered(value, place)
    const before = texts.get(place) ?? ''
    const read = readCandidate(whole, position, calls.get(place) ?? 0, before)
    const { index: choice, parts, finish, logprobs, citations = [], searches = [] } = read
    texts.set(place, before + joinText(parts, ''))
    const events: Event[] = []
    let odds = logprobs
    for (const part of parts) {
      const rest = 'extras' in part ? part.extras : undefined
      if (part.type === 'call') {
        const index = calls.get(choice) ?? 0
        calls.set(choice, index + 1)
        const { id, name } = part
        events.push({ type: 'call', choice, index, id, name, ...(rest ? { extras: rest } : {}) })
        events.push({ type: 'args', choice, index, text: part.args })
        continue
      }
      if (part.type === 'text' && part.text !== '') {
        events.push({ type: 'text', choice, text: part.text, ...(odds ? { logprobs: odds } : {}) })
        odds = undefined
      }
      if (part.type === 'thinking' && part.text !== '') events.push({ type: 'thinking', choice, text: part.text })
      if (part.type === 'image' && part.source.kind === 'data') {
        events.push({ type: 'image', choice, source: part.source, ...(rest ? { extras: rest } : {}) })
        continue
      }
      if (rest && Object.keys(rest.fields).length > 0) events.push({ type: 'foreign', choice, extras: rest })
    }
    if (odds) events.push({ type: 'text', choice, text: '', logprobs: odds })
    // Searches are items of their own elsewhere: first what belongs to the text.
    for (const citation of citations) events.push({ type: 'citation', choice, citation })
    for (const query of searches) events.push({ type: 'search', choice, query })
    if (finish) events.push({ type: 'finish', choice, reason: finish })
    return events
  }

  return (frame) => {
    const chunk = parseReply(frame.data)
    const failure = failureOf(chunk)
    if (failure) {
      const { message, kind, status, code = kind } = failure
      return [{ type: 'error', message, code, kind, status }]
    }
    const events: Event[] = []
    if (!started) {
      started = true
      const { responseId: id, modelVersion: model } = chunk
      events.push({
        type: 'start',
        ...(isString(id) && id !== '' ? { id } : {}),
        ...(isString(model) && model !== '' ? { model } : {}),
      })
    }
    const candidates = Array.isArray(chunk.candidates) ? chunk.candidates : []
    for (const [position, candidate] of candidates.entries())
      if (isObject(candidate)) events.push(...readChoice(candidate, position))
    const blocked = candidates.length === 0 ? blockedFinish(chunk) : undefined
    if (blocked) events.push({ type: 'finish', choice: 0, reason: blocked })
    const usage = readAnswerUsage(chunk)
    if (usage) events.push({ type: 'usage', usage })
    return events
  }
}

const ownOf = (extras: Extras | undefined): Json => (extras?.dialect === ID ? extras.fields : {})

export function writer(chat: Chat, answering: Answering): (event: Event) => string {
  let responseId = answering.id
  let modelVersion = chat.model
  let started = false
  let usage: Usage | undefined
  const finishes = new Map<number, Finish>()
  /** Where the text of each choice comes from is told at its end, in places of all of it. */
  const sources = new Map<number, { text: string; citations: Citation[]; searches: string[] }>()
  const sourcesOf = (choice: number) => {
    const made = sources.get(choice) ?? { text: '', citations: [], searches: [] }
    sources.set(choice, made)
    return made
  }
  /** Calls are whole in Gemini, so they are kept until their choice ends. */
  const calls = new Map<number, Map<number, ToolCall>>()

  const send = (body: Json): string => `data: ${JSON.stringify({ ...body, modelVersion, responseId })}\n\n`
  const say = (index: number, part: Json, more: Json = {}): string =>
    send({ candidates: [{ content: { parts: [part], role: 'model' }, index, ...more }] })

  function writeCalls(choice: number): string {
    const finish = finishes.get(choice)
    const made = { index: choice, parts: [], ...(finish ? { finish } : {}) }
    const parts = [...(calls.get(choice) ?? [])].flatMap(([index, call]) => {
      const written = writeCalled(call, index, made, answering.id)
      return written ? [written] : []
    })
    calls.delete(choice)
    return parts.length === 0 ? '' : send({ candidates: [{ content: { parts, role: 'model' }, index: choice }] })
  }

  return (event) => {
    switch (event.type) {
      case 'start':
        if (!started) {
          responseId = event.id || responseId
          modelVersion = event.model || modelVersion
        }
        started = true
        return ''
      case 'text':
        if (event.text === '' && !event.logprobs) return ''
        sourcesOf(event.choice).text += event.text
        return say(
          event.choice,
          { text: event.text },
          event.logprobs ? { logprobsResult: writeLogprobs(event.logprobs) } : {},
        )
      case 'refusal':
        return event.text === '' ? '' : say(event.choice, { text: event.text })
      case 'thinking':
        return event.text === '' ? '' : say(event.choice, { text: event.text, thought: true })
      case 'citation':
        sourcesOf(event.choice).citations.push(event.citation)
        return ''
      case 'search':
        sourcesOf(event.choice).searches.push(event.query)
        return ''
      case 'image': {
        const { mediaType: mimeType, data } = event.source
        return say(event.choice, { inlineData: { mimeType, data }, ...ownOf(event.extras) })
      }
      case 'foreign': {
        if (event.extras.dialect !== ID) return ''
        const { type, ...fields } = event.extras.fields
        if (type === undefined && Object.keys(fields).length === 0) return ''
        // A signature alone stands beside an empty text, as Google itself sends it.
        return say(event.choice, type === undefined ? { text: '', ...fields } : fields)
      }
      case 'call': {
        const { choice, index, id, name, extras } = event
        const open = calls.get(choice) ?? new Map<number, ToolCall>()
        calls.set(choice, open)
        open.set(index, { type: 'call', id, name, args: '', ...(extras ? { extras } : {}) })
        return ''
      }
      case 'args': {
        const call = calls.get(event.choice)?.get(event.index)
        if (call) call.args += event.text
        return ''
      }
      case 'finish':
        finishes.set(event.choice, event.reason)
        return writeCalls(event.choice)
      case 'usage':
        usage = event.usage
        return ''
      case 'error':
        return interrupted(event.told)
      case 'end': {
        if (finishes.size === 0) return ''
        const candidates = [...finishes].map(([index, finish]) => {
          const { citations, searches, text } = sourcesOf(index)
          const groundingMetadata = writeGrounding(citations, searches, text)
          return {
            content: { parts: [{ text: '' }], role: 'model' },
            finishReason: writeFinish(finish),
            index,
            ...(groundingMetadata ? { groundingMetadata } : {}),
          }
        })
        return send({ candidates, ...(usage ? { usageMetadata: writeUsage(usage) } : {}) })
      }
      default:
        return ''
    }
  }
}
