/** Lines of a chat stream in Ollama's words, both ways. */
import type { Usage } from '../../core/usage.ts'
import type { Chat, Event, Finish, Json, Timings, TokenLogprob, ToolCall } from '../canonical.ts'
import type { Answering, Frame } from '../dialect.ts'
import { errorEvent } from '../failure-of.ts'
import { interrupted } from '../ollama/error.ts'
import { readDone, readTime, readTimings, readUsage, timeOf, writeDone, writeMetrics } from '../ollama/metrics.ts'
import { imageNote } from '../parts.ts'
import { callId, isObject, isString, parseReply } from '../wire.ts'
import { writeCall } from './messages.ts'
import { BROKEN_ARGS, readLogprobs, readSaid } from './reply.ts'

/** How one line's content is read and written: the only thing in which chat and generate differ. */
export interface Shape {
  read(line: Json): { text: string; thinking: string; calls: ToolCall[] }
  write(said: { text?: string; thinking?: string; calls?: Json[] }): Json
}

export const CHAT_SHAPE: Shape = {
  read(line) {
    const parts = isObject(line.message) ? readSaid(line.message) : []
    const said = (type: 'text' | 'thinking') =>
      parts.flatMap((part) => (part.type === type ? [part.text] : [])).join('')
    return { text: said('text'), thinking: said('thinking'), calls: parts.filter((part) => part.type === 'call') }
  },
  write: ({ text = '', thinking, calls }) => ({
    message: {
      role: 'assistant',
      content: text,
      ...(thinking ? { thinking } : {}),
      ...(calls ? { tool_calls: calls } : {}),
    },
  }),
}

export function readerOf(shape: Shape): (frame: Frame) => Event[] {
  let started = false
  let calls = 0
  return (frame) => {
    const line = parseReply(frame.data)
    const error = errorEvent(line)
    if (error) return [error]
    const events: Event[] = []
    if (!started) {
      started = true
      const created = readTime(line.created_at)
      events.push({
        type: 'start',
        ...(isString(line.model) && line.model !== '' ? { model: line.model } : {}),
        ...(created > 0 ? { created } : {}),
      })
    }
    const { text, thinking, calls: made } = shape.read(line)
    const logprobs = readLogprobs(line.logprobs)
    if (thinking !== '') events.push({ type: 'thinking', choice: 0, text: thinking })
    if (text !== '' || (logprobs && logprobs.length > 0)) {
      events.push({ type: 'text', choice: 0, text, ...(logprobs ? { logprobs } : {}) })
    }
    for (const { id, name, args } of made) {
      const index = calls++
      events.push({ type: 'call', choice: 0, index, id, name }, { type: 'args', choice: 0, index, text: args })
    }
    const reason = readDone(line, calls > 0)
    if (!reason) return events
    const timings = readTimings(line)
    events.push({ type: 'finish', choice: 0, reason, ...(timings ? { timings } : {}) })
    const usage = readUsage(line)
    if (usage) events.push({ type: 'usage', usage })
    events.push({ type: 'end' })
    return events
  }
}

export function writerOf(shape: Shape, chat: Chat, answering: Answering): (event: Event) => string {
  let model = chat.model
  let created = answering.created
  let started = false
  let usage: Usage | undefined
  let timings: Timings | undefined
  let finish: Finish | undefined
  const calls = new Map<number, ToolCall>()

  const line = (said: Json, more: Json = {}): string =>
    `${JSON.stringify({ model, created_at: timeOf(created), ...said, done: false, ...more })}\n`
  const odds = (logprobs: TokenLogprob[] | undefined): Json => (logprobs ? { logprobs } : {})

  /** Calls are whole in Ollama, so they are kept until the answer ends; each stands in a line of its own. */
  function writeCalls(): string {
    let out = ''
    for (const [index, call] of calls) {
      try {
        out += line(shape.write({ calls: [writeCall(call, index, BROKEN_ARGS)] }))
      } catch (cause) {
        if (finish?.unified !== 'length') throw cause
      }
    }
    calls.clear()
    return out
  }

  return (event) => {
    if (event.type !== 'start' && 'choice' in event && event.choice !== 0) return ''
    switch (event.type) {
      case 'start':
        if (!started) {
          model = event.model || model
          created = event.created || created
        }
        started = true
        return ''
      case 'text':
        return line(shape.write({ text: event.text }), odds(event.logprobs))
      case 'refusal':
        return line(shape.write({ text: event.text }))
      case 'image':
        return line(shape.write({ text: imageNote(event.source) }))
      case 'thinking':
        return line(shape.write({ thinking: event.text }))
      case 'call':
        calls.set(event.index, {
          type: 'call',
          id: event.id || callId(answering.id, 0, event.index),
          name: event.name,
          args: '',
        })
        return ''
      case 'args': {
        const call = calls.get(event.index)
        if (call) call.args += event.text
        return ''
      }
      case 'finish':
        finish = event.reason
        timings = event.timings
        return writeCalls()
      case 'usage':
        usage = event.usage
        return ''
      case 'error':
        return interrupted(event.told)
      case 'end': {
        if (!finish) return ''
        const done = { done: true, done_reason: writeDone(finish), ...writeMetrics(usage, timings) }
        return line(shape.write({}), done)
      }
      default:
        return ''
    }
  }
}
