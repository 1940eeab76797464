/**
 * Events → a stream of OpenAI's Responses. Everything stands in items that are announced, told piece by piece, told again
 * whole and closed; every event has its number, and the last one holds the whole response. Texts and thoughts close when
 * something else begins; calls stay open while their arguments are not whole, so that parallel ones may interleave.
 */
import type { Usage } from '../../core/usage.ts'
import type { Chat, Citation, Event, Extras, Finish, Json, TokenLogprob } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { writeAnnotation } from '../openai/annotations.ts'
import { badReply, callId, isString } from '../wire.ts'
import { ID } from './content.ts'
import { interrupted, send } from './error.ts'
import { writeFinish } from './finish.ts'
import { DRAWN, writeDrawn } from './images.ts'
import { ungroup } from './namespaces.ts'
import { envelope, itemId, ownId } from './response.ts'
import { writeSearch } from './searches.ts'
import { writeUsage } from './usage.ts'

interface Item {
  kind: 'text' | 'refusal' | 'thinking' | 'call'
  place: number
  json: Json
  /** What was told of it so far. */
  said: string
  logprobs: TokenLogprob[]
  annotations: Json[]
  /** Characters of texts before it. */
  offset: number
  /** The part within it was announced. */
  begun: boolean
  /** A call that was told whole. */
  closed: boolean
}

function isWhole(args: string): boolean {
  try {
    JSON.parse(args)
    return true
  } catch {
    return false
  }
}

export function writer(chat: Chat, answering: Answering): (event: Event) => string {
  const response = envelope(chat, answering)
  const output: Json[] = []
  const known = ungroup(chat)
  let sequence = 0
  let started = false
  let usage: Usage | undefined
  let finish: Finish | undefined
  /** Characters of text so far. */
  let characters = 0
  /** What text and thoughts are being written into. */
  let current: Item | undefined
  const calls = new Map<number, Item>()

  const tell = (type: string, body: Json): string => {
    const { response: whole, ...rest } = body
    return send({ type, sequence_number: sequence++, ...rest, ...(whole ? { response: whole } : {}) })
  }
  const at = ({ json, place }: Item, index?: 'content_index' | 'summary_index'): Json => ({
    item_id: json.id,
    output_index: place,
    ...(index ? { [index]: 0 } : {}),
  })
  const part = (item: Item, text: string): Json =>
    item.kind === 'refusal'
      ? { type: 'refusal', refusal: text }
      : {
          type: 'output_text',
          text,
          annotations: text === '' ? [] : item.annotations,
          logprobs: text === '' ? [] : item.logprobs,
        }

  const start = (): string => {
    if (started) return ''
    started = true
    return (
      tell('response.created', { response: { ...response } }) +
      tell('response.in_progress', { response: { ...response } })
    )
  }

  const begin = (kind: Item['kind'], json: Json): [Item, string] => {
    let out = start() + closeCurrent()
    for (const call of calls.values()) if (!call.closed && isWhole(call.said)) out += closeCall(call)
    const item: Item = {
      kind,
      place: output.length,
      json,
      said: '',
      logprobs: [],
      annotations: [],
      offset: characters,
      begun: false,
      closed: false,
    }
    output.push(json)
    return [item, out + tell('response.output_item.added', { output_index: item.place, item: json })]
  }
  const done = (item: Item, whole: Json): string => {
    output[item.place] = whole
    return tell('response.output_item.done', { output_index: item.place, item: whole })
  }

  function closeCurrent(status = 'completed'): string {
    const item = current
    current = undefined
    if (!item) return ''
    if (item.kind === 'thinking') return closeThought(item, {})
    const { said, logprobs } = item
    const whole = part(item, said)
    const last = item.kind === 'refusal' ? { refusal: said } : { text: said, logprobs }
    return (
      tell(`response.${item.kind === 'refusal' ? 'refusal' : 'output_text'}.done`, {
        ...at(item, 'content_index'),
        ...last,
      }) +
      tell('response.content_part.done', { ...at(item, 'content_index'), part: whole }) +
      done(item, { ...item.json, status, content: [whole] })
    )
  }

  /** @param rest what only OpenAI knows of it (its encrypted content) */
  function closeThought(item: Item, rest: Json): string {
    const summary = item.begun ? [{ type: 'summary_text', text: item.said }] : []
    const { said } = item
    const out = item.begun
      ? tell('response.reasoning_summary_text.done', { ...at(item, 'summary_index'), text: said }) +
        tell('response.reasoning_summary_part.done', { ...at(item, 'summary_index'), part: summary[0] })
      : ''
    return out + done(item, { ...item.json, summary, ...rest, id: item.json.id })
  }

  function closeCall(call: Item, status = 'completed'): string {
    call.closed = true
    const out = call.said === '' ? writeArgs(call, '{}') : ''
    return (
      out +
      tell('response.function_call_arguments.done', { ...at(call), name: call.json.name, arguments: call.said }) +
      done(call, { ...call.json, status, arguments: call.said })
    )
  }

  function writeArgs(call: Item, delta: string): string {
    call.said += delta
    return tell('response.function_call_arguments.delta', { ...at(call), delta })
  }

  /** Everything that is open, in the order in which it stands. */
  function closeAll(): string {
    const status = finish?.unified === 'length' ? 'incomplete' : 'completed'
    let out = closeCurrent(status)
    for (const call of calls.values())
      if (!call.closed) out += closeCall(call, isWhole(call.said || '{}') ? 'completed' : status)
    return out
  }

  function say(kind: 'text' | 'refusal', delta: string, logprobs: TokenLogprob[] | undefined): string {
    let out = ''
    if (current?.kind !== kind) {
      const id = itemId('msg', answering, output.length)
      const json = { id, type: 'message', status: 'in_progress', role: 'assistant', content: [] }
      const [item, before] = begin(kind, json)
      current = item
      out = before + tell('response.content_part.added', { ...at(item, 'content_index'), part: part(item, '') })
    }
    current.said += delta
    if (kind === 'text') characters += delta.length
    if (logprobs) current.logprobs.push(...logprobs)
    const type = kind === 'text' ? 'output_text' : 'refusal'
    const odds = kind === 'text' ? { logprobs: logprobs ?? [] } : {}
    return out + tell(`response.${type}.delta`, { ...at(current, 'content_index'), delta, ...odds })
  }

  /** What the open text comes from; with none open it stands nowhere. */
  function cite(citation: Citation): string {
    if (current?.kind !== 'text') return ''
    const annotation = writeAnnotation(citation, current.offset, current.said.length)
    const annotation_index = current.annotations.push(annotation) - 1
    return tell('response.output_text.annotation.added', {
      ...at(current, 'content_index'),
      annotation_index,
      annotation,
    })
  }

  /** A search, announced and told in the steps that its clients wait for. */
  function search({ query, extras }: Event & { type: 'search' }): string {
    const own = extras?.dialect === ID ? extras.fields : undefined
    const item = own ?? writeSearch(query, itemId('ws', answering, output.length))
    const [made, out] = begin('call', { ...item, status: 'in_progress' })
    const steps = ['in_progress', 'searching', 'completed']
    return out + steps.map((step) => tell(`response.web_search_call.${step}`, at(made))).join('') + done(made, item)
  }

  function think(delta: string, extras: Extras | undefined): string {
    let out = ''
    if (current?.kind !== 'thinking') {
      const own = extras?.dialect === ID ? extras.fields.id : undefined
      const [item, before] = begin('thinking', thought(isString(own) ? own : itemId('rs', answering, output.length)))
      current = item
      out = before
    }
    const item = current
    if (!item.begun) {
      item.begun = true
      const empty = { type: 'summary_text', text: '' }
      out += tell('response.reasoning_summary_part.added', { ...at(item, 'summary_index'), part: empty })
    }
    item.said += delta
    return out + tell('response.reasoning_summary_text.delta', { ...at(item, 'summary_index'), delta })
  }

  /** An item of OpenAI's own: reasoning is announced under its own name and closed with what it holds, the rest is whole. */
  function pass(item: Json): string {
    if (item.type !== 'reasoning') {
      if (!isString(item.type) || !isString(item.id)) return ''
      const [made, out] = begin('call', item)
      return out + done(made, item)
    }
    const isOpen = current?.kind === 'thinking' && (current.json.id === item.id || item.encrypted_content !== undefined)
    if (isOpen && current) {
      const open = current
      current = undefined
      return closeThought(open, item)
    }
    const [made, out] = begin('thinking', thought(isString(item.id) ? item.id : itemId('rs', answering, output.length)))
    current = made
    if (item.encrypted_content === undefined || item.encrypted_content === null) return out
    current = undefined
    return out + closeThought(made, item)
  }

  /** A picture, announced and told in the steps that its clients wait for. */
  function draw(event: Event & { type: 'image' }): string {
    const item = writeDrawn(event, itemId('ig', answering, output.length))
    if (!item) return ''
    const [made, out] = begin('call', { id: item.id, type: DRAWN, status: 'in_progress', result: null })
    const steps = ['in_progress', 'generating', 'completed']
    return out + steps.map((step) => tell(`response.${DRAWN}.${step}`, at(made))).join('') + done(made, item)
  }

  return (event) => {
    if ('choice' in event && event.choice !== 0) return ''
    switch (event.type) {
      case 'start':
        if (started) return ''
        response.id = ownId(event.id) ?? response.id
        response.model = event.model || response.model
        response.created_at = event.created || response.created_at
        return start()
      case 'text':
        return event.text === '' && !event.logprobs ? '' : say('text', event.text, event.logprobs)
      case 'refusal':
        return event.text === '' ? '' : say('refusal', event.text, undefined)
      case 'thinking':
        return event.text === '' ? '' : think(event.text, event.extras)
      case 'citation':
        return cite(event.citation)
      case 'search':
        return search(event)
      case 'image':
        return draw(event)
      case 'foreign':
        return event.extras.dialect === ID ? pass(event.extras.fields) : ''
      case 'call': {
        const json = {
          id: itemId('fc', answering, output.length),
          type: 'function_call',
          status: 'in_progress',
          arguments: '',
          call_id: event.id || callId(answering.id, 0, event.index),
          ...known(event.name),
          ...(event.extras?.dialect === ID ? event.extras.fields : {}),
        }
        const [item, out] = begin('call', json)
        calls.set(event.index, item)
        return out
      }
      case 'args': {
        if (event.text === '') return ''
        const call = calls.get(event.index)
        if (call && !call.closed) return writeArgs(call, event.text)
        if (event.text.trim() === '') return ''
        throw badReply('The upstream went on with a tool call that was whole already.')
      }
      case 'finish':
        finish = event.reason
        return start() + closeAll()
      case 'usage':
        usage = event.usage
        return ''
      case 'error':
        return interrupted({ ...response, output }, sequence, event.told)
      case 'end': {
        if (!finish) return ''
        const how = writeFinish(finish)
        const whole = { ...response, ...how, output, usage: usage ? writeUsage(usage) : null }
        return closeAll() + tell(`response.${how.status}`, { response: whole })
      }
      default:
        return ''
    }
  }
}

const thought = (id: string): Json => ({ id, type: 'reasoning', summary: [] })
